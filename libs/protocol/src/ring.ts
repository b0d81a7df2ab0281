/**
 * Consistent hashing with bounded loads: one ring that gateways, balancers and edges compute alike.
 * Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads" (2018).
 * Pure; the same input gives the same ring in every process and version.
 */

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

/** Points a node of weight 1 has unless told otherwise: arcs are within about 8 % of even (1/√points). */
export const defaultRingPoints = 160;

/** The key by which a session finds its place on a ring. */
export const ringKey = (uid: string, sid: string): string => `${uid}.${sid}`;

/** 32-bit hash of the UTF-16 code units of `text`: FNV-1a, then murmur3's finaliser for even mixing. */
export function ringHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    if (unit > 0xff) hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Builds a ring. The order of `nodes` does not matter. A node keeps its points whatever others come and
 * go, so a node that joins takes arcs from others and nothing else changes hands.
 * @param pointsPerWeight virtual points of a node of weight 1 (at least one point a node).
 * @throws RangeError when a weight is not positive or `pointsPerWeight` is under 1.
 */
export function buildRing(nodes: readonly RingNode[], pointsPerWeight: number = defaultRingPoints): Ring {
  if (!(pointsPerWeight >= 1)) throw new RangeError('give a ring at least one point per weight');
  const sorted = [...nodes].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0));
  const drawn: { point: number; owner: number }[] = [];
  let totalWeight = 0;
  for (const [owner, { node, weight }] of sorted.entries()) {
    if (!(weight > 0) || !Number.isFinite(weight)) {
      throw new RangeError(`the weight of ${node} is ${weight}; give a positive number`);
    }
    totalWeight += weight;
    const count = Math.max(1, Math.round(pointsPerWeight * weight));
    for (let i = 0; i < count; i++) drawn.push({ point: ringHash(`${node}#${i}`), owner });
  }
  // Equal points go to the node that sorts first, so that every process agrees.
  drawn.sort((a, b) => a.point - b.point || a.owner - b.owner);
  return {
    points: Uint32Array.from(drawn, (d) => d.point),
    owners: Uint32Array.from(drawn, (d) => d.owner),
    nodes: sorted,
    totalWeight,
  };
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
  let total = 0;
  for (const { node } of ring.nodes) total += loads.get(node) ?? 0;
  const first = firstPoint(ring, key);
  for (let step = 0; step < ring.owners.length; step++) {
    const owner = ring.nodes[ring.owners[(first + step) % ring.owners.length] ?? -1];
    if (owner === undefined) continue;
    const limit = Math.ceil((bound * (total + 1) * owner.weight) / ring.totalWeight);
    if ((loads.get(owner.node) ?? 0) + 1 <= limit) return owner.node;
  }
  return ownerOf(ring, key);
}

/** Index of the first point at or after the key's hash, wrapping around. */
function firstPoint(ring: Ring, key: string): number {
  const hash = ringHash(key);
  let low = 0;
  let high = ring.points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring.points[middle] ?? 0) < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.points.length ? 0 : low;
}
