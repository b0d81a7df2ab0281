import type { Line } from '../log.js';

/** Less than this share of what came before is not what it was. */
const share = 0.5;

/** Deliveries of each whole second of a log. */
function bySecond(lines: readonly Line[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const line of lines) {
    if (line.kind !== 'frame' || (line.frame.t !== 'event' && line.frame.t !== 'message')) continue;
    const second = Math.floor(line.at / 1_000);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return counts;
}

/**
 * For how many seconds less than half as much was delivered as in the seconds before the first condition began, from then until
 * the last publish; undefined: nothing was done, or nothing was delivered before.
 */
export function secondsDegraded(lines: readonly Line[]): number | undefined {
  const begin = lines.find((line) => line.kind === 'condition')?.at;
  const end = lines.findLast((line) => line.kind === 'publish')?.at;
  if (begin === undefined || end === undefined) return undefined;
  const counts = bySecond(lines);
  const [first, last] = [Math.ceil(begin / 1_000), Math.floor(end / 1_000)];
  const usual = usualOf(counts, first);
  if (usual === undefined) return undefined;
  let degraded = 0;
  for (let second = first; second < last; second++)
    if ((counts.get(second) ?? 0) < usual * share) degraded += 1;
  return degraded;
}

/**
 * How much was delivered a second from the first condition's begin to the last one's end, as a part of what was before; undefined: nothing
 * was done, or nothing was delivered before.
 */
export function loadHeld(lines: readonly Line[]): number | undefined {
  const begin = lines.find((line) => line.kind === 'condition')?.at;
  const end = lines.findLast((line) => line.kind === 'condition' && line.phase === 'end')?.at;
  if (begin === undefined || end === undefined) return undefined;
  const counts = bySecond(lines);
  const [first, last] = [Math.ceil(begin / 1_000), Math.floor(end / 1_000)];
  const usual = usualOf(counts, first);
  if (usual === undefined || last <= first) return undefined;
  let delivered = 0;
  for (let second = first; second < last; second++) delivered += counts.get(second) ?? 0;
  return delivered / (last - first) / usual;
}

/** Deliveries in each second before `first`; the one in which it begins does not count. */
function usualOf(counts: ReadonlyMap<number, number>, first: number): number | undefined {
  const before = [...counts].filter(([second]) => second < first - 1).map(([, count]) => count);
  return before.length === 0 ? undefined : before.reduce((sum, each) => sum + each, 0) / before.length;
}
