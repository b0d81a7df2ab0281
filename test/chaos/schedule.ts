import { seededRandom } from '@evenkeel/testkit';
import type { Fault } from '../delivery/run/fault.js';

/** A fault of a schedule. */
export interface Planned {
  readonly name: string;
  /** From the beginning, ms. */
  readonly atMs: number;
  readonly forMs: number;
}

/** Between two faults of one part, ms. */
const apartMs = 4_000;
/** Shortest fault, ms. */
const shortestMs = 500;
/** A fault begins about so often, ms: several hold at a time. */
const oftenMs = 5_000;

/** Faults at random moments of `lengthMs`, each over before its end; those of different parts may hold together. */
export function scheduleOf(
  seed: number,
  lengthMs: number,
  faults: Readonly<Record<string, Pick<Fault, 'part' | 'holdMs'>>>,
  everyMs = oftenMs,
): readonly Planned[] {
  const random = seededRandom(seed);
  const names = Object.keys(faults).toSorted();
  const freeAtMs = new Map<string, number>();
  const planned: Planned[] = [];
  for (let atMs = random() * everyMs; atMs < lengthMs; atMs += random() * 2 * everyMs) {
    const name = names[Math.floor(random() * names.length)] as string;
    const { part, holdMs } = faults[name] as Pick<Fault, 'part' | 'holdMs'>;
    const forMs = Math.round(shortestMs + random() * (holdMs - shortestMs));
    if ((freeAtMs.get(part) ?? 0) > atMs || atMs + forMs > lengthMs) continue;
    freeAtMs.set(part, atMs + forMs + apartMs);
    planned.push({ name, atMs: Math.round(atMs), forMs });
  }
  return planned;
}

/** How often a schedule is played again with less at most: about a minute and a half each. */
export const shrinkPlays = 12;

/**
 * A schedule that still fails, and would not without any one of its faults; with more than that where `plays` did not do. `fails` plays
 * one. Halves are tried first.
 */
export async function shrunk(
  schedule: readonly Planned[],
  fails: (schedule: readonly Planned[]) => Promise<boolean>,
  plays: number,
): Promise<readonly Planned[]> {
  let [left, least] = [plays, schedule];
  for (let size = Math.ceil(least.length / 2); least.length > 1; ) {
    let isLess = false;
    for (let at = 0; at < least.length && !isLess; at += size) {
      const rest = [...least.slice(0, at), ...least.slice(at + size)];
      if (rest.length === 0) continue;
      if (left-- <= 0) return least;
      if (!(await fails(rest))) continue;
      [least, isLess] = [rest, true];
    }
    if (!isLess && size === 1) return least;
    if (!isLess) size = Math.ceil(size / 2);
    size = Math.min(size, Math.max(1, least.length - 1));
  }
  return least;
}

/** As it is printed, and as `--schedule` takes it. */
export const scheduleText = (schedule: readonly Planned[]): string =>
  schedule.map(({ name, atMs, forMs }) => `${name}@${atMs}+${forMs}`).join(',');

/** @throws RangeError where it is none. */
export function readSchedule(text: string): readonly Planned[] {
  return text.split(',').map((part) => {
    const match = /^([a-z-]+)@(\d+)\+(\d+)$/.exec(part.trim());
    if (!match)
      throw new RangeError(`"${part}" is no fault of a schedule: name@from+for, both in milliseconds`);
    return { name: match[1] as string, atMs: Number(match[2]), forMs: Number(match[3]) };
  });
}
