import { buildRing, defaultRingPoints, type Ring, type RingNode } from '@evenkeel/cluster';

/** A pair of nodes between which arcs change hands, and the part of the whole ring that these are. */
export interface ArcMove {
  readonly from: string;
  readonly to: string;
  readonly part: number;
}

const CIRCLE = 2 ** 32;

/** Which arcs go from whom to whom when `before` becomes `after`, summed by pair. Pure; O(points). */
export function arcMoves(
  before: readonly RingNode[],
  after: readonly RingNode[],
  points = defaultRingPoints,
): ArcMove[] {
  if (before.length === 0 || after.length === 0) return [];
  const old = buildRing(before, points);
  const next = buildRing(after, points);
  const parts = new Map<string, Map<string, number>>();
  let i = 0;
  let j = 0;
  let at = 0;
  // Points end their arcs; behind the last one the first node goes on.
  while (at < CIRCLE) {
    const a = old.points[i] ?? CIRCLE;
    const b = next.points[j] ?? CIRCLE;
    const end = Math.min(a, b, CIRCLE - 1) + 1;
    const from = ownerAt(old, i);
    const to = ownerAt(next, j);
    if (from !== to && end > at) {
      const row = parts.get(from) ?? new Map<string, number>();
      parts.set(from, row);
      row.set(to, (row.get(to) ?? 0) + (end - at) / CIRCLE);
    }
    if (a === Math.min(a, b)) i += 1;
    if (b === Math.min(a, b)) j += 1;
    if (a === CIRCLE && b === CIRCLE) break;
    at = end;
  }
  return [...parts].flatMap(([from, row]) => [...row].map(([to, part]) => ({ from, to, part })));
}

/** The part of the ring that each node owns; sums to 1. */
export function arcShares(nodes: readonly RingNode[], points = defaultRingPoints): Map<string, number> {
  const ring = buildRing(nodes, points);
  const out = new Map<string, number>(nodes.map((n) => [n.node, 0]));
  let at = 0;
  for (let i = 0; i <= ring.points.length; i++) {
    const end = i === ring.points.length ? CIRCLE : (ring.points[i] ?? 0) + 1;
    const owner = ownerAt(ring, i);
    if (end > at) out.set(owner, (out.get(owner) ?? 0) + (end - at) / CIRCLE);
    at = Math.max(at, end);
  }
  return out;
}

function ownerAt(ring: Ring, index: number): string {
  const owner = ring.owners[index === ring.owners.length ? 0 : index] ?? 0;
  return ring.nodes[owner]?.node ?? '';
}
