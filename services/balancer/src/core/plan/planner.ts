import { byVersion } from '@evenkeel/cluster';
import { type Holder, shares } from './share.js';

/** What a node does in a plan: `level` gives and takes, `drain` gives everything, `still` neither. */
export type Role = 'level' | 'drain' | 'still';

export interface PlanNode {
  readonly node: string;
  readonly role: Role;
  /** Sessions it holds. */
  readonly sessions: number;
  readonly weight: number;
  readonly capacity: number;
  readonly version: string;
}

export interface Move {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

export interface Outcome {
  readonly moves: Move[];
  readonly total: number;
  /** Sessions of draining nodes that nobody has room for. */
  readonly unplaced: number;
  /** Sessions per node afterwards. */
  readonly after: ReadonlyMap<string, number>;
}

/**
 * Levels exactly: every `level` node ends with its share by weight, within its capacity, and every `drain`
 * node with none. The fewest moves that do so, and no node both gives and takes.
 */
export function planLevel(nodes: readonly PlanNode[]): Outcome {
  const level = nodes.filter((n) => n.role === 'level');
  const drained = nodes.filter((n) => n.role === 'drain');
  let total = 0;
  for (const n of level) total += n.sessions;
  for (const n of drained) total += n.sessions;
  const targets = shares(level.map(toHolder), total);
  return settle(nodes, level, targets, drained);
}

/** How far over its share a node of the newest version may be filled. */
const NEWEST_SLACK = 1.015;

/**
 * Empties the `drain` nodes and moves nobody else. What they hold goes to the newest version first, up to the
 * share a node would have if all were level, then to the others; among nodes of one version the emptiest first.
 */
export function planDrain(nodes: readonly PlanNode[]): Outcome {
  const level = nodes.filter((n) => n.role === 'level');
  const drained = nodes.filter((n) => n.role === 'drain');
  let left = 0;
  for (const n of drained) left += n.sessions;
  let total = left;
  for (const n of level) total += n.sessions;
  const fair = shares(level.map(toHolder), total);
  const targets = level.map((n) => n.sessions);
  const pour = (members: number[], ceiling: (i: number) => number) => {
    const room = members.map((i) => Math.max(0, ceiling(i) - (targets[i] as number)));
    let open = 0;
    for (const r of room) open += r;
    const amount = Math.min(left, open);
    if (amount <= 0) return;
    const given = pourLevel(
      members.map((i, k) => ({
        node: level[i] as PlanNode,
        load: targets[i] as number,
        ceiling: (targets[i] as number) + (room[k] as number),
      })),
      amount,
    );
    members.forEach((i, k) => {
      targets[i] = (targets[i] as number) + (given[k] as number);
    });
    left -= amount;
  };
  const versions = byVersion(
    level.map((_, i) => i),
    (i) => level[i]?.version ?? '',
  );
  for (const members of versions) {
    // Within tolerance rather than exact: a few too many for a new node would else be moved twice, by way of an old one.
    const slack = members === versions[0] && versions.length > 1 ? NEWEST_SLACK : 1;
    pour(members, (i) => Math.min(Math.floor((fair[i] as number) * slack), (level[i] as PlanNode).capacity));
  }
  // Nodes over their fair share make the others' rooms too small by rounding or by being over: fill what is left.
  if (left > 0)
    pour(
      level.map((_, i) => i),
      (i) => (level[i] as PlanNode).capacity,
    );
  return settle(nodes, level, targets, drained);
}

/** Adds `amount` on top of what each holds so that load per weight ends as level as can be without taking. */
function pourLevel(members: { node: PlanNode; load: number; ceiling: number }[], amount: number): number[] {
  const at = (water: number) => {
    let sum = 0;
    for (const m of members) sum += Math.max(0, Math.min(m.ceiling, water * m.node.weight) - m.load);
    return sum;
  };
  let low = 0;
  let high = 1;
  for (const m of members) high = Math.max(high, m.ceiling / m.node.weight);
  for (let i = 0; i < 60 && high - low > 1e-9; i++) {
    const mid = (low + high) / 2;
    if (at(mid) < amount) low = mid;
    else high = mid;
  }
  const parts = members.map((m, i) => {
    const exact = Math.max(0, Math.min(m.ceiling, high * m.node.weight) - m.load);
    const whole = Math.floor(exact + 1e-6);
    return { i, whole, room: m.ceiling - m.load - whole, remainder: exact - whole, node: m.node.node };
  });
  let rest = amount;
  for (const p of parts) rest -= p.whole;
  parts.sort((a, b) => b.remainder - a.remainder || (a.node < b.node ? -1 : 1));
  for (let guard = 0; rest > 0 && guard < 3; guard++) {
    for (const p of parts) {
      if (rest <= 0) break;
      if (p.room <= 0) continue;
      p.whole += 1;
      p.room -= 1;
      rest -= 1;
    }
  }
  for (let k = parts.length - 1; rest < 0 && k >= 0; k--) {
    const p = parts[k] as { whole: number };
    const back = Math.min(p.whole, -rest);
    p.whole -= back;
    rest += back;
  }
  const out = new Array<number>(members.length).fill(0);
  for (const p of parts) out[p.i] = p.whole;
  return out;
}

function settle(
  nodes: readonly PlanNode[],
  level: readonly PlanNode[],
  targets: readonly number[],
  drained: readonly PlanNode[],
): Outcome {
  const givers: { node: string; count: number }[] = drained.map((n) => ({ node: n.node, count: n.sessions }));
  const takers: { node: string; count: number }[] = [];
  level.forEach((n, i) => {
    const difference = (targets[i] as number) - n.sessions;
    if (difference > 0) takers.push({ node: n.node, count: difference });
    if (difference < 0) givers.push({ node: n.node, count: -difference });
  });
  const { moves, total, left } = pair(givers, takers);
  const after = new Map<string, number>(nodes.map((n) => [n.node, n.sessions]));
  for (const m of moves) {
    after.set(m.from, (after.get(m.from) ?? 0) - m.count);
    after.set(m.to, (after.get(m.to) ?? 0) + m.count);
  }
  return { moves, total, unplaced: left, after };
}

/** Pairs givers with takers, the largest first: at most givers + takers − 1 pairs. */
export function pair(
  givers: readonly { node: string; count: number }[],
  takers: readonly { node: string; count: number }[],
): { moves: Move[]; total: number; left: number } {
  const bySize = (a: { node: string; count: number }, b: { node: string; count: number }) =>
    b.count - a.count || (a.node < b.node ? -1 : 1);
  const from = [...givers].filter((g) => g.count > 0).sort(bySize);
  const to = [...takers].filter((t) => t.count > 0).sort(bySize);
  const moves: Move[] = [];
  let total = 0;
  let g = 0;
  let t = 0;
  let have = from[0]?.count ?? 0;
  let want = to[0]?.count ?? 0;
  while (g < from.length && t < to.length) {
    const count = Math.min(have, want);
    moves.push({ from: (from[g] as { node: string }).node, to: (to[t] as { node: string }).node, count });
    total += count;
    have -= count;
    want -= count;
    if (have === 0) have = from[++g]?.count ?? 0;
    if (want === 0) want = to[++t]?.count ?? 0;
  }
  let left = have;
  for (let k = g + 1; k < from.length; k++) left += (from[k] as { count: number }).count;
  return { moves, total, left: g < from.length ? left : 0 };
}

const toHolder = (n: PlanNode): Holder => ({
  node: n.node,
  weight: n.weight,
  capacity: n.capacity,
  load: n.sessions,
});
