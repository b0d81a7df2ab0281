/** What a node's silence means: one table of ages for gateways and balancers. */

/** How often an edge reports, ms. It also reports at once when its state changes. */
export const reportEveryMs = 1_000;

/**
 * Ages of a node's last statistics, ms, in ascending order; each adds to those before it.
 * `stale`: nothing is levelled by its figures. `late`: placement prefers others. `suspect`: no plan counts on it.
 * `silent`: no client is sent to it. `gone`: it has left; what it held has come back elsewhere.
 * `forgotten`: it may come back as a node never heard of.
 */
export const nodeAgesMs = {
  stale: 2_000,
  late: 2_500,
  suspect: 3_000,
  silent: 5_000,
  gone: 15_000,
  forgotten: 120_000,
} as const;
export type NodeAge = keyof typeof nodeAgesMs;

/** Whether a node last heard of at `seenAtMs` has reached this age. @param nowMs on the same clock. */
export const hasAge = (age: NodeAge, seenAtMs: number, nowMs: number): boolean =>
  nowMs - seenAtMs >= nodeAgesMs[age];

/** States in which a node may be shown: what it says of itself, and what is concluded from its silence. */
export const nodePhases = ['joining', 'active', 'cordoned', 'draining', 'suspect', 'gone'] as const;
export type NodePhase = (typeof nodePhases)[number];

/**
 * The phase of a node: `joining` until its second report, then what it says of itself, `suspect` and `gone` by its
 * age. A draining node that falls silent has left as it said it would, so it is `gone` at once.
 * @param reports how many reports of its present process have been heard.
 */
export function phaseOf(
  state: 'active' | 'cordoned' | 'draining',
  reports: number,
  seenAtMs: number,
  nowMs: number,
): NodePhase {
  if (hasAge('gone', seenAtMs, nowMs)) return 'gone';
  if (hasAge('suspect', seenAtMs, nowMs)) return state === 'draining' ? 'gone' : 'suspect';
  if (state !== 'active') return state;
  return reports < 2 ? 'joining' : 'active';
}
