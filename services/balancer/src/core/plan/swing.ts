/** Whether a load that is off will still be so in a while, from how it has varied. Pure. */
import type { Load } from '@evenkeel/cluster';
import type { NodeView } from '../cluster/state.js';

/** So much is known before a load counts as uneven, in means of ten seconds. */
const wantedMeans = 29;
/** What a swing can leave in the mean is not known exactly either. */
const margin = 1.25;

/** What is known of a node's part of a load. */
export interface Swing {
  /** Whether it has been watched for long enough. */
  readonly isKnown: boolean;
  /** How far its mean may be off by the swing alone, as a part of its share. */
  readonly mayBe: number;
}

/**
 * How far the mean of a node's part of the load may be off although nothing needs to move: a swing to both sides that lasts so
 * long, of such an amplitude, leaves at most their product in the mean of the time watched.
 */
export function swingOf(
  node: NodeView,
  level: readonly NodeView[],
  load: Exclude<Load, 'connections'>,
): Swing {
  const parts: number[] = [];
  const byTime = level.map((n) => new Map(n.series.map(({ at, mean }) => [at, mean[load]])));
  for (const { at, mean } of node.series) {
    let total = 0;
    let weight = 0;
    for (const [i, n] of level.entries()) {
      const its = byTime[i]?.get(at);
      if (its === undefined) break;
      total += its;
      weight += n.stats.weight;
      if (i < level.length - 1) continue;
      parts.push(total === 0 ? 1 : mean[load] / ((total / weight) * node.stats.weight));
    }
  }
  if (parts.length < 3) return { isKnown: false, mayBe: Number.POSITIVE_INFINITY };
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  const amplitude = (Math.max(...parts) - Math.min(...parts)) / 2;
  let longest = 0;
  let run = 0;
  for (const [i, part] of parts.entries()) {
    const isSameSide = i > 0 && part > mean === (parts[i - 1] ?? part) > mean;
    run = isSameSide ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return {
    isKnown: parts.length >= wantedMeans,
    mayBe: (margin * amplitude * longest) / parts.length,
  };
}
