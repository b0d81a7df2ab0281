import type { PaceOptions } from './node-rate.js';

/** About how long these moves take, ms: the slowest way in or out at half the greatest rate. */
export function estimateMs(
  moves: readonly { from: string; to: string; count: number }[],
  { startPerSecond, maxPerSecond }: PaceOptions,
): number {
  const perNode = new Map<string, number>();
  for (const { from, to, count } of moves) {
    for (const way of [`out ${from}`, `in ${to}`]) perNode.set(way, (perNode.get(way) ?? 0) + count);
  }
  let most = 0;
  for (const count of perNode.values()) most = Math.max(most, count);
  return Math.round((most / ((startPerSecond + maxPerSecond) / 2)) * 1000);
}
