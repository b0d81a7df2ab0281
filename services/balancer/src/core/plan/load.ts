import { type Load, loadOf } from '@evenkeel/cluster';
import { movableOf, type NodeView } from '../cluster/state.js';
import { pair } from './planner.js';
import { heldAt, waterLevel } from './water.js';

/** A step by load: units a second to move, and the most sessions this may take. */
interface LoadStep {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly isEstimate: true;
  readonly load: number;
}

export interface LoadOutcome {
  readonly moves: LoadStep[];
  /** Sessions, at most. */
  readonly total: number;
  /** Load per node before and afterwards. */
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

/** A node at most this part over its share is left alone. */
const SLACK = 0.01;
/** Moves of less than this part of a share are left out: they would be more precise than the measure is. */
const NEGLIGIBLE = 0.002;

/**
 * Levels a load other than connections: each node shall carry its share by weight, and no less than what its pinned sessions
 * carry, which are taken to be as busy as the others. Says how much is to move; the edge, which knows its sessions, moves the
 * busiest that fit, so the fewest. No node both gives and takes, and none gets more sessions than it has room for.
 */
export function planByLoad(nodes: readonly NodeView[], load: Exclude<Load, 'connections'>): LoadOutcome {
  const before = new Map(nodes.map((n) => [n.node, loadOf(n, load)]));
  let total = 0;
  let weight = 0;
  for (const n of nodes) {
    total += loadOf(n, load);
    weight += n.stats.weight;
  }
  const byName = new Map(nodes.map((n) => [n.node, n]));
  const vessels = new Map(
    nodes.map((n) => {
      const floor = (loadOf(n, load) * n.pinned) / Math.max(1, n.stats.sessions);
      return [n, { weight: n.stats.weight, floor, capacity: Number.POSITIVE_INFINITY }];
    }),
  );
  const level = waterLevel([...vessels.values()], total);
  const givers: { node: string; count: number }[] = [];
  const takers: { node: string; count: number }[] = [];
  for (const [n, vessel] of vessels) {
    const share = heldAt(vessel, level);
    const difference = loadOf(n, load) - share;
    if (difference > share * SLACK) givers.push({ node: n.node, count: difference - share * SLACK });
    else if (difference < 0) takers.push({ node: n.node, count: -difference });
  }
  const room = new Map(nodes.map((n) => [n.node, Math.max(0, n.stats.capacity - n.stats.sessions)]));
  const after = new Map(before);
  const moves: LoadStep[] = [];
  let sessions = 0;
  for (const { from, to, count: amount } of pair(givers, takers).moves) {
    const source = byName.get(from);
    const carried = before.get(from) ?? 0;
    if (source === undefined || amount < (total / weight) * NEGLIGIBLE) continue;
    // As many as it would take if all were equally busy: the busiest are fewer.
    const likely = Math.ceil((source.stats.sessions * amount) / carried);
    const count = Math.min(likely, movableOf(source), room.get(to) ?? 0);
    if (count <= 0) continue;
    room.set(to, (room.get(to) ?? 0) - count);
    after.set(from, (after.get(from) ?? 0) - amount);
    after.set(to, (after.get(to) ?? 0) + amount);
    // Edges do not know what a session costs in CPU; they go by its events.
    const units = load === 'cpu' ? (source.traffic.events * amount) / carried : amount;
    if (units <= 0) continue;
    moves.push({ from, to, count, isEstimate: true, load: units });
    sessions += count;
  }
  return { moves, total: sessions, before, after };
}
