import { defaultRingPoints, type Load, loadOf, type RingNode } from '@evenkeel/cluster';
import { isHere, movableOf, type NodeView } from '../cluster/state.js';
import { arcMoves, arcShares } from './arcs.js';
import type { DrainGoals } from './drains.js';
import { planByLoad } from './load.js';
import type { Plan, PlanStep, Strategy } from './plan.js';
import { type Outcome, type PlanNode, planDrain, planLevel, type Role } from './planner.js';

/** What a plan would do, before it is one. */
export interface Draft {
  readonly steps: readonly PlanStep[];
  /** Sessions to move; an upper bound or an estimate where only the edges know. */
  readonly total: number;
  /** Sessions of draining nodes that could go and that nobody has room for. */
  readonly unplaced: number;
  /** The same by node, those with any. */
  readonly unplacedByNode: ReadonlyMap<string, number>;
  /** Sessions that the front keeps on the nodes that give: left out. */
  readonly pinned: number;
  readonly strategy: Strategy;
  readonly load: Load;
  readonly ring?: { points: number; nodes: RingNode[] };
  /** The ring gives sessions to a node that has no room at all. */
  readonly isShort?: true;
  /** The measure by node, before and after. */
  readonly before: ReadonlyMap<string, number>;
  readonly after: ReadonlyMap<string, number>;
}

export interface Method {
  readonly strategy: Strategy;
  readonly load: Load;
  /** Members of the ring that sessions lie on now; undefined when that is not known. */
  readonly ring: readonly RingNode[] | undefined;
}

const nothingUnplaced = { unplaced: 0, unplacedByNode: new Map<string, number>() };

/** Levels `members` by the method asked for. */
export function draftLevel(nodes: readonly NodeView[], members: ReadonlySet<string>, method: Method): Draft {
  const level = nodes.filter((n) => members.has(n.node));
  if (method.strategy === 'consistent-hash') return byRing(level, level, method);
  if (method.load !== 'connections' && hasTraffic(level, method.load)) {
    const { moves, total, before, after } = planByLoad(level, method.load);
    const { strategy, load } = method;
    const all = { ...nothingUnplaced, pinned: pinnedOf(level) };
    return { steps: moves, total, ...all, strategy, load, before, after };
  }
  const outcome = planLevel(toPlanNodes(nodes, (n) => (members.has(n.node) ? 'level' : 'still')));
  return bySessions(outcome, nodes, pinnedOf(level));
}

/** Empties `drained` onto `takers`. */
export function draftDrain(
  nodes: readonly NodeView[],
  drained: ReadonlySet<string>,
  takers: ReadonlySet<string>,
  method: Method,
): Draft {
  const from = nodes.filter((n) => drained.has(n.node));
  const to = nodes.filter((n) => takers.has(n.node) && !drained.has(n.node));
  if (method.strategy === 'consistent-hash' && to.length > 0) {
    const draft = byRing(from, to, method);
    // Where those that the ring names are full, others may have room.
    if (draft.steps.length > 0) return draft;
  }
  const role = (n: NodeView): Role =>
    drained.has(n.node) ? 'drain' : takers.has(n.node) ? 'level' : 'still';
  return bySessions(planDrain(toPlanNodes(nodes, role)), nodes, pinnedOf(from));
}

/** Closes what is pinned to these nodes, each at its rate. A command has to name a target: the emptiest, though none is moved. */
export function draftClose(rates: ReadonlyMap<NodeView, number>, takers: readonly NodeView[]): Draft {
  const loadOfNode = (n: NodeView) => n.stats.sessions / n.stats.weight;
  const [target] = [...takers].sort((a, b) => loadOfNode(a) - loadOfNode(b));
  const steps: PlanStep[] = [];
  const before = new Map<string, number>();
  let total = 0;
  for (const [{ node, stats, pinned }, closesPerSecond] of rates) {
    before.set(node, stats.sessions);
    if (target === undefined) continue;
    steps.push({ from: node, to: target.node, count: pinned, closesPerSecond });
    total += pinned;
  }
  const after = new Map([...before.keys()].map((node) => [node, 0]));
  return {
    steps,
    total,
    ...nothingUnplaced,
    pinned: 0,
    strategy: 'least-loaded',
    load: 'connections',
    before,
    after,
  };
}

/** Below this there is nothing that could be levelled by it. */
const TRAFFIC = { events: 10, bytes: 10_000, cpu: 0.1 } as const;

function hasTraffic(nodes: readonly NodeView[], load: Exclude<Load, 'connections'>): boolean {
  let sum = 0;
  for (const n of nodes) sum += loadOf(n, load);
  return sum >= TRAFFIC[load] * nodes.length;
}

function pinnedOf(nodes: readonly NodeView[]): number {
  let sum = 0;
  for (const n of nodes) sum += n.pinned;
  return sum;
}

function bySessions(outcome: Outcome, nodes: readonly NodeView[], pinned: number): Draft {
  return {
    steps: outcome.moves,
    total: outcome.total,
    unplaced: outcome.unplaced,
    unplacedByNode: outcome.unplacedByNode,
    pinned,
    strategy: 'least-loaded',
    load: 'connections',
    before: new Map(nodes.filter((n) => outcome.after.has(n.node)).map((n) => [n.node, n.stats.sessions])),
    after: outcome.after,
  };
}

/** The edges know the ids and so who lies where; counts are estimated from the arcs. */
function byRing(from: readonly NodeView[], to: readonly NodeView[], method: Method): Draft {
  const next = to.map((n) => ({ node: n.node, weight: n.stats.weight }));
  const movable = new Map(from.map((n) => [n.node, movableOf(n)]));
  const before = new Map([...to, ...from].map((n) => [n.node, n.stats.sessions]));
  const after = new Map(before);
  const steps: PlanStep[] = [];
  let total = 0;
  const flows: Flow[] = [];
  const add = (source: string, target: string, estimate: number) => {
    const most = movable.get(source) ?? 0;
    if (most > 0 && source !== target)
      flows.push({ source, target, most, estimate: Math.min(most, estimate) });
  };
  const old = method.ring;
  const isKnown =
    old !== undefined && from.every((n) => old.some((o) => o.node === n.node) || n.stats.sessions === 0);
  if (isKnown) {
    const owned = arcShares(old);
    for (const { from: source, to: target, part } of arcMoves(old, next)) {
      add(source, target, ((movable.get(source) ?? 0) * part) / (owned.get(source) ?? 1));
    }
  } else {
    const share = arcShares(next);
    const isMember = new Set(next.map((n) => n.node));
    for (const source of from) {
      for (const { node } of next) {
        // Who drains gives to everyone; of the others nobody knows how much lies wrong.
        add(source.node, node, isMember.has(source.node) ? 0 : movableOf(source) * (share.get(node) ?? 0));
      }
    }
  }
  let unplaced = 0;
  const unplacedByNode = new Map<string, number>();
  let isShort = false;
  for (const { source, target, most, estimate, ceiling } of within(flows, to)) {
    const count = Math.min(ceiling, Math.round(estimate));
    const over = Math.round(estimate) - count;
    unplaced += over;
    if (over > 0) unplacedByNode.set(source, (unplacedByNode.get(source) ?? 0) + over);
    isShort ||= ceiling === 0 && (estimate > 0 || !isKnown);
    if (ceiling === 0) continue;
    const isCapped = ceiling < most;
    steps.push({
      from: source,
      to: target,
      count: ceiling,
      isEstimate: true,
      ...(isCapped ? { isCapped } : {}),
    });
    total += count;
    after.set(source, (after.get(source) ?? 0) - count);
    after.set(target, (after.get(target) ?? 0) + count);
  }
  const ring = { points: defaultRingPoints, nodes: next };
  const pinned = pinnedOf(from);
  return {
    steps,
    total,
    unplaced,
    unplacedByNode,
    pinned,
    strategy: 'consistent-hash',
    load: 'connections',
    ring,
    ...(isShort ? { isShort } : {}),
    before,
    after,
  };
}

/** What a ring gives from one node to another. */
interface Flow {
  readonly source: string;
  readonly target: string;
  /** Sessions that may be moved from there at all. */
  readonly most: number;
  readonly estimate: number;
}

/** A node with less room than this part of its capacity is full: it is not filled up one by one. */
const leastRoom = 0.01;

/** How many of each may go at most, so that no target gets more than it has room for. */
function within(flows: readonly Flow[], to: readonly NodeView[]): (Flow & { ceiling: number })[] {
  return to.flatMap(({ node, stats }) => {
    const free = stats.capacity - Math.max(stats.connections, stats.sessions);
    const room = free < stats.capacity * leastRoom ? 0 : free;
    const its = flows.filter(({ target }) => target === node);
    let wanted = 0;
    let most = 0;
    for (const flow of its) {
      wanted += flow.estimate;
      most += flow.most;
    }
    const ceilingOf = (flow: Flow) => {
      if (most <= room) return flow.most;
      if (wanted >= room) return Math.floor((flow.estimate / Math.max(1, wanted)) * room);
      return Math.min(flow.most, Math.floor(flow.estimate + ((room - wanted) * flow.most) / most));
    };
    return its.map((flow) => ({ ...flow, ceiling: ceilingOf(flow) }));
  });
}

/** The nodes as the planner takes them. */
function toPlanNodes(nodes: readonly NodeView[], role: (n: NodeView) => Role): PlanNode[] {
  return nodes.filter(isHere).map((n) => ({
    node: n.node,
    role: role(n),
    sessions: n.stats.sessions,
    pinned: n.pinned,
    weight: n.stats.weight,
    capacity: n.stats.capacity,
    version: n.stats.version,
  }));
}

/** The plan that a draft becomes. One that drains ends with the last of its deadlines, where all its nodes have one. */
export function planOf(
  draft: Pick<Draft, 'steps' | 'total'> & Partial<Draft>,
  about: Pick<Plan, 'id' | 'kind' | 'why' | 'by' | 'startedAt' | 'moveDeadlineMs' | 'drains'>,
  goals: DrainGoals,
): Plan {
  const { strategy = 'least-loaded', load = 'connections', steps, total, ring, isShort } = draft;
  const deadlines = new Set(steps.map((step) => goals.get(step.from)?.endsBy ?? Number.POSITIVE_INFINITY));
  const endsBy = about.kind === 'drain' ? Math.max(...deadlines) : Number.POSITIVE_INFINITY;
  return {
    ...about,
    strategy,
    load,
    steps,
    total,
    ...(ring === undefined ? {} : { ring }),
    ...(isShort === true ? { isShort } : {}),
    ...(Number.isFinite(endsBy) ? { endsBy } : {}),
  };
}
