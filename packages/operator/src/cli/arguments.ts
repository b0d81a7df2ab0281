/** What words of the command line are read as. */
import { nodeName } from '@evenkeel/protocol';
import { InvalidArgumentError } from 'commander';

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

/** A whole number from 1 to `most`. */
export const upTo =
  (most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new InvalidArgumentError(`Give a whole number from 1 to ${most.toLocaleString('en-US')}.`);
    return value;
  };

export function closeRate(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 1_000)) throw new InvalidArgumentError('Give a number from 1 to 1,000.');
  return value;
}

export function node(name: string): string {
  const parsed = nodeName.safeParse(name);
  if (!parsed.success)
    throw new InvalidArgumentError(`${parsed.error.issues[0]?.message ?? 'No node name'}.`);
  return name;
}

/** One more of them. */
export const nodes = (name: string, before: string[] | undefined): string[] => [
  ...(before ?? []),
  node(name),
];

export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It is not JSON. A text needs its quotes: \'"hello"\'.');
  }
}
