/** A rule was not kept; the message says what was seen. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function must(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** Compares by JSON. */
export function mustEqual(seen: unknown, wanted: unknown, what: string): void {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  must(a === b, `${what}: ${a ?? 'nothing'} where ${b ?? 'nothing'} was wanted`);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
