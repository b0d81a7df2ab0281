import { byVersion } from '@evenkeel/cluster';
import { shares } from './share.js';
import { heldAt, type Vessel, waterLevel } from './water.js';

/** What a node does in a plan: `level` gives and takes, `drain` gives everything, `still` neither. */
export type Role = 'level' | 'drain' | 'still';

export interface PlanNode {
  readonly node: string;
  readonly role: Role;
  /** Sessions it holds. */
  readonly sessions: number;
  /** Of these, those that stay whatever is planned. */
  readonly pinned: number;
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
  /** Sessions of draining nodes that could go and that nobody has room for. */
  readonly unplaced: number;
  /** The same by node, those with any. */
  readonly unplacedByNode: ReadonlyMap<string, number>;
  /** Sessions per node afterwards. */
  readonly after: ReadonlyMap<string, number>;
}

/**
 * Levels exactly: every `level` node ends with its share by weight, within its capacity and no less than it keeps, and every
 * `drain` node with what it keeps. The fewest moves that do so, and no node both gives and takes.
 */
export function planLevel(nodes: readonly PlanNode[]): Outcome {
  const level = nodes.filter((n) => n.role === 'level');
  const drained = nodes.filter((n) => n.role === 'drain');
  return settle(nodes, shares(level, sessionsOf(level) + movableOf(drained)), drained);
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
  let left = movableOf(drained);
  const fair = shares(level, sessionsOf(level) + left);
  const targets = new Map(level.map((n) => [n, n.sessions]));
  const pour = (members: readonly PlanNode[], ceiling: (n: PlanNode) => number) => {
    const vessels = members.map((node) => {
      const floor = targets.get(node) ?? 0;
      return { node, weight: node.weight, floor, capacity: Math.max(floor, ceiling(node)) };
    });
    let open = 0;
    for (const v of vessels) open += v.capacity - v.floor;
    const amount = Math.min(left, open);
    if (amount <= 0) return;
    for (const { node, whole } of pourLevel(vessels, amount))
      targets.set(node, (targets.get(node) ?? 0) + whole);
    left -= amount;
  };
  const versions = byVersion(level, (n) => n.version);
  for (const members of versions) {
    // Within tolerance rather than exact: a few too many for a new node would else be moved twice, by way of an old one.
    const slack = members === versions[0] && versions.length > 1 ? NEWEST_SLACK : 1;
    pour(members, (n) => Math.min(Math.floor((fair.get(n) ?? 0) * slack), n.capacity));
  }
  // Nodes over their fair share make the others' rooms too small by rounding or by being over: fill what is left.
  if (left > 0) pour(level, (n) => n.capacity);
  return settle(nodes, targets, drained);
}

function sessionsOf(nodes: readonly PlanNode[]): number {
  let sum = 0;
  for (const n of nodes) sum += n.sessions;
  return sum;
}

function movableOf(nodes: readonly PlanNode[]): number {
  let sum = 0;
  for (const n of nodes) sum += n.sessions - n.pinned;
  return sum;
}

/** A node that is poured into: what it holds, and up to what it may be filled. */
interface Poured extends Vessel {
  readonly node: PlanNode;
}

/** Spreads `amount` on top of what each holds so that load per weight ends as level as can be without taking. */
function pourLevel(vessels: readonly Poured[], amount: number): { node: PlanNode; whole: number }[] {
  let total = amount;
  for (const { floor } of vessels) total += floor;
  const level = waterLevel(vessels, total);
  const parts = vessels.map((vessel) => {
    const { node, floor, capacity } = vessel;
    const exact = heldAt(vessel, level) - floor;
    const whole = Math.floor(exact + 1e-6);
    return { node, whole, room: capacity - floor - whole, remainder: exact - whole };
  });
  let rest = amount;
  for (const p of parts) rest -= p.whole;
  parts.sort((a, b) => b.remainder - a.remainder || (a.node.node < b.node.node ? -1 : 1));
  for (let guard = 0; rest > 0 && guard < 3; guard++) {
    for (const p of parts) {
      if (rest <= 0) break;
      if (p.room <= 0) continue;
      p.whole += 1;
      p.room -= 1;
      rest -= 1;
    }
  }
  for (const p of parts.toReversed()) {
    if (rest >= 0) break;
    const back = Math.min(p.whole, -rest);
    p.whole -= back;
    rest += back;
  }
  return parts;
}

/** The moves that bring every node to its target, and the drained ones to what they keep. */
function settle(
  nodes: readonly PlanNode[],
  targets: ReadonlyMap<PlanNode, number>,
  drained: readonly PlanNode[],
): Outcome {
  const givers: Amount[] = drained.map((n) => ({ node: n.node, count: n.sessions - n.pinned }));
  const takers: Amount[] = [];
  for (const [n, target] of targets) {
    const difference = target - n.sessions;
    if (difference > 0) takers.push({ node: n.node, count: difference });
    if (difference < 0) givers.push({ node: n.node, count: -difference });
  }
  const { moves, total, left, leftAt } = pair(givers, takers);
  const after = new Map<string, number>(nodes.map((n) => [n.node, n.sessions]));
  for (const m of moves) {
    after.set(m.from, (after.get(m.from) ?? 0) - m.count);
    after.set(m.to, (after.get(m.to) ?? 0) + m.count);
  }
  return { moves, total, unplaced: left, unplacedByNode: leftAt, after };
}

/** So much of what is shared out, at one node. */
interface Amount {
  readonly node: string;
  readonly count: number;
}

/** Pairs givers with takers, the largest first: at most givers + takers − 1 pairs. */
export function pair(
  givers: readonly Amount[],
  takers: readonly Amount[],
): { moves: Move[]; total: number; left: number; leftAt: Map<string, number> } {
  const bySize = (a: Amount, b: Amount) => b.count - a.count || (a.node < b.node ? -1 : 1);
  const moves: Move[] = [];
  const open = takers.filter((t) => t.count > 0).sort(bySize);
  let [taker] = open;
  let want = taker?.count ?? 0;
  let taken = 0;
  let total = 0;
  let left = 0;
  const leftAt = new Map<string, number>();
  for (const giver of givers.filter((g) => g.count > 0).sort(bySize)) {
    let have = giver.count;
    while (have > 0 && taker !== undefined) {
      const count = Math.min(have, want);
      moves.push({ from: giver.node, to: taker.node, count });
      total += count;
      have -= count;
      want -= count;
      if (want > 0) continue;
      taker = open[++taken];
      want = taker?.count ?? 0;
    }
    left += have;
    if (have > 0) leftAt.set(giver.node, have);
  }
  return { moves, total, left, leftAt };
}
