/**
 * Consistent hashing with bounded loads: one ring that gateways, balancers and edges compute alike.
 * Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
 * Pure; the same input gives the same ring in every process and version.
 */
import { hash32 } from '@evenkeel/pace';
import { boundedShare } from './load.js';

/** A node on the ring. A weight of 2 owns twice the arcs of a weight of 1. */
export interface RingNode {
  node: string;
  weight: number;
}

/** A ring: points in ascending order, each the end of the arc that `owners` at the same index owns. */
export interface Ring {
  readonly points: Uint32Array;
  /** Index into `nodes` of the owner of each point. */
  readonly owners: Uint32Array;
  readonly nodes: readonly RingNode[];
  readonly totalWeight: number;
}

/** Points a node of weight 1 has by default: arcs are within about 8 % of even (1/√points). */
export const defaultRingPoints = 160;
/** Points of a ring at most: under a second and 20 MB to build. 5,000 nodes of weight 1 stay below. */
export const maxRingPoints = 2 ** 20;
/** Points that the nodes of a ring have on average at most: arcs within 1.6 % of even, from a few milliseconds. */
export const maxMeanPoints = 4_096;

/** The key by which a session finds its place on a ring. */
export const ringKey = (uid: string, sid: string): string => `${uid}.${sid}`;

/**
 * Builds a ring. The order of `nodes` does not matter. A node keeps its points whatever others come and
 * go, so a node that joins takes arcs from others and nothing else changes hands.
 *
 * Weights count in proportion to each other, so they may be capacities. Where `pointsPerWeight` × the weights
 * would be more than {@link maxRingPoints} or {@link maxMeanPoints} allow, every node's points are halved until
 * they fit; a change of membership that crosses such a limit changes more hands than its own.
 * @param pointsPerWeight virtual points of a node of weight 1 (at least one point a node).
 * @throws RangeError when a weight is not positive, `pointsPerWeight` is under 1 or there are over 2^20 nodes.
 */
export function buildRing(nodes: readonly RingNode[], pointsPerWeight: number = defaultRingPoints): Ring {
  if (!(pointsPerWeight >= 1)) throw new RangeError('give a ring at least one point per weight');
  if (nodes.length > maxRingPoints) throw new RangeError(`a ring has at most ${maxRingPoints} nodes`);
  const sorted = [...nodes].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0));
  let totalWeight = 0;
  for (const { node, weight } of sorted) {
    if (!(weight > 0) || !Number.isFinite(weight)) {
      throw new RangeError(`the weight of ${node} is ${weight}; give a positive number`);
    }
    totalWeight += weight;
  }
  const perWeight = pointsPerWeight / 2 ** halvings(pointsPerWeight * totalWeight, sorted.length);
  const counts = sorted.map(({ weight }) => Math.max(1, Math.round(perWeight * weight)));
  const drawn = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let filled = 0;
  for (const [owner, { node }] of sorted.entries()) {
    const count = counts[owner] ?? 0;
    // Point and owner as one number, which sorts natively. Equal points go to the node that sorts first, so that
    // every process agrees.
    for (let i = 0; i < count; i++) drawn[filled++] = hash32(`${node}#${i}`) * sorted.length + owner;
  }
  drawn.sort();
  return {
    points: Uint32Array.from(drawn, (d) => Math.floor(d / sorted.length)),
    owners: Uint32Array.from(drawn, (d) => d % sorted.length),
    nodes: sorted,
    totalWeight,
  };
}

/** How often the points are halved until `wanted` of them fit a ring of `nodes` nodes. */
function halvings(wanted: number, nodes: number): number {
  const most = Math.min(maxRingPoints, maxMeanPoints * nodes);
  return wanted <= most ? 0 : Math.ceil(Math.log2(wanted / most));
}

/** The node whose arc holds `key`, or undefined on an empty ring. */
export function ownerOf(ring: Ring, key: string): string | undefined {
  return ring.nodes[ring.owners[firstPoint(ring, key)] ?? -1]?.node;
}

/**
 * The first node clockwise from `key` that may take one more under `bound` × its fair share of the
 * total load (rounded up), or undefined on an empty ring. With `bound` > 1 there always is one.
 * @param loads current load by node; a missing node counts as 0, nodes not on the ring are ignored.
 * @param bound at least 1; usually 1.1 to 1.25. Smaller is more even and moves more.
 */
export function ownerBounded(
  ring: Ring,
  key: string,
  loads: ReadonlyMap<string, number>,
  bound: number,
): string | undefined {
  let load = 0;
  for (const { node } of ring.nodes) load += loads.get(node) ?? 0;
  const total = { load, weight: ring.totalWeight };
  const first = firstPoint(ring, key);
  for (let step = 0; step < ring.owners.length; step++) {
    const owner = ring.nodes[ring.owners[(first + step) % ring.owners.length] ?? -1];
    if (owner === undefined) continue;
    if ((loads.get(owner.node) ?? 0) + 1 <= boundedShare(owner.weight, total, bound)) return owner.node;
  }
  return ownerOf(ring, key);
}

/** Index of the first point at or after the key's hash, wrapping around. */
function firstPoint(ring: Ring, key: string): number {
  const hash = hash32(key);
  let low = 0;
  let high = ring.points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring.points[middle] ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.points.length ? 0 : low;
}
