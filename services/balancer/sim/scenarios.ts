import type { SimCluster } from './cluster.js';
import type { SimNode } from './node.js';

export const scenarioNames = [
  'join',
  'leave',
  'rolling-deploy',
  'rolling-in-place',
  'hot-users',
  'flapping',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Sizes {
  readonly nodes: number;
  readonly sessions: number;
}

/** What a scenario promises, checked when it is over. */
interface Expectation {
  /** Fewest moves that reach the goal. */
  minimumMoves: number;
  /** Most moves allowed. */
  mostMoves: number;
  maxOverMean: number;
  measure: (n: SimNode) => number;
}

/** Level means: no node over this, in parts of the mean. */
export const MAX_OVER_MEAN = 1.02;

/** One step of the simulation per `yield`. */
export type Script = Generator<undefined, Expectation>;

export const bySessions = (n: SimNode) => n.sessions;
const LIMIT_MS = 600_000;

export function* forMs(c: SimCluster, ms: number): Generator<undefined, void> {
  const endMs = c.nowMs + ms;
  while (c.nowMs < endMs) yield;
}

export function* until(
  c: SimCluster,
  what: string,
  check: () => boolean,
  limitMs = LIMIT_MS,
): Generator<undefined, boolean> {
  const endMs = c.nowMs + limitMs;
  while (!check()) {
    if (c.nowMs >= endMs) {
      c.violations.add(`after ${limitMs} ms of simulated time: not ${what} (${c.balancer.why})`);
      return false;
    }
    yield;
  }
  return true;
}

/** Nothing moves, and nothing has for ten seconds. */
export function* calm(c: SimCluster): Generator<undefined, void> {
  let sinceMs = c.nowMs;
  yield* until(c, 'calm', () => {
    if (c.isBusy) sinceMs = c.nowMs;
    return c.nowMs - sinceMs >= 10_000;
  });
}

export function seatEvenly(c: SimCluster, sizes: Sizes, version = '1'): SimNode[] {
  const nodes = Array.from({ length: sizes.nodes }, (_, i) => c.addNode(`n${i}`, version));
  let left = sizes.sessions;
  nodes.forEach((node, i) => {
    const even = left / (nodes.length - i);
    // Within what placement leaves: a few in a thousand.
    const jitter = i === nodes.length - 1 ? 0 : (c.random.next() - 0.5) * 0.006 * even;
    const count = Math.min(left, Math.round(even + jitter));
    c.seat(node, count);
    left -= count;
  });
  return nodes;
}

/** Fewest moves that give every active node its exact share, all weights being equal, and empty `drained`. */
function fewestMoves(loads: readonly number[], drained: number): number {
  let total = drained;
  for (const load of loads) total += load;
  const base = Math.floor(total / loads.length);
  let rounded = total - base * loads.length;
  let moves = drained;
  for (const load of loads) {
    if (load <= base) continue;
    moves += load - base;
    if (rounded > 0) {
      rounded -= 1;
      moves -= 1;
    }
  }
  return moves;
}

function* join(c: SimCluster, sizes: Sizes): Script {
  seatEvenly(c, sizes);
  yield* forMs(c, 5000);
  c.addNode('joined');
  const minimumMoves = fewestMoves(c.active().map(bySessions), 0);
  yield* until(c, 'filling the node that joined', () => c.balancer.run !== undefined);
  yield* calm(c);
  return { minimumMoves, mostMoves: minimumMoves * 1.01, maxOverMean: MAX_OVER_MEAN, measure: bySessions };
}

function* leave(c: SimCluster, sizes: Sizes): Script {
  const nodes = seatEvenly(c, sizes);
  yield* forMs(c, 5000);
  const leaver = c.random.pick(nodes);
  const minimumMoves = leaver.sessions;
  c.drain(leaver);
  yield* until(c, 'empty', () => leaver.sessions === 0);
  c.remove(leaver);
  yield* calm(c);
  return { minimumMoves, mostMoves: minimumMoves * 1.01, maxOverMean: MAX_OVER_MEAN, measure: bySessions };
}

/** A new node comes for each old one that is drained, one after the other: one more than needed at any time. */
function* rollingDeploy(c: SimCluster, sizes: Sizes): Script {
  const nodes = seatEvenly(c, sizes);
  yield* forMs(c, 5000);
  for (const [i, node] of nodes.entries()) {
    c.addNode(`m${i}`, '2');
    yield* forMs(c, 2500);
    c.drain(node);
    yield* until(c, `${node.node} empty`, () => node.sessions === 0 && !node.isBusy);
    c.remove(node);
    yield* forMs(c, 1000);
  }
  yield* calm(c);
  // Everyone has to leave an old process once.
  const minimumMoves = sizes.sessions;
  return { minimumMoves, mostMoves: sizes.sessions * 1.05, maxOverMean: MAX_OVER_MEAN, measure: bySessions };
}

/**
 * Every node is restarted with a new version, one after the other, and nothing stands in meanwhile. The first one's
 * sessions can only go to old nodes, everyone has to leave an old node once, and the last node comes back empty: level
 * at the end means 1 + 2/N moves a session, and no policy needs fewer.
 */
function* rollingInPlace(c: SimCluster, sizes: Sizes): Script {
  const nodes = seatEvenly(c, sizes);
  yield* forMs(c, 5000);
  for (const node of nodes) {
    c.drain(node);
    yield* until(c, `${node.node} empty`, () => node.sessions === 0 && !node.isBusy);
    c.crash(node);
    yield* forMs(c, 1000);
    c.restart(node, '2');
    yield* forMs(c, 2500);
  }
  yield* until(c, 'level again', () => !c.isBusy && c.maxOverMean(bySessions) <= MAX_OVER_MEAN);
  yield* calm(c);
  const minimumMoves = Math.floor(sizes.sessions * (1 + 2 / sizes.nodes));
  return { minimumMoves, mostMoves: minimumMoves * 1.02, maxOverMean: MAX_OVER_MEAN, measure: bySessions };
}

/** One in twenty sessions gets nineteen in twenty events, and they are where a campaign has put them. */
function* hotUsers(c: SimCluster, sizes: Sizes): Script {
  const nodes = Array.from({ length: sizes.nodes }, (_, i) => c.addNode(`n${i}`));
  const hot = Math.round(sizes.sessions * 0.05);
  const favoured = Math.max(1, Math.round(nodes.length * 0.2));
  const perNode = Math.floor(sizes.sessions / nodes.length);
  const hotPerFavoured = Math.floor((hot * 0.7) / favoured);
  const hotPerOther = nodes.length > favoured ? Math.floor((hot * 0.3) / (nodes.length - favoured)) : 0;
  const classes = hotClasses.length - 1;
  nodes.forEach((node, i) => {
    const count = Math.min(perNode, i < favoured ? hotPerFavoured : hotPerOther);
    for (let cls = 1; cls <= classes; cls++) {
      c.seat(node, Math.floor(count / classes) + (cls <= count % classes ? 1 : 0), cls);
    }
    c.seat(node, perNode - count);
  });
  const minimumMoves = fewestByLoad(nodes);
  yield* until(c, 'levelling', () => c.balancer.run !== undefined);
  yield* calm(c);
  // What is left shows only when it has been watched for long enough.
  yield* forMs(c, 700_000);
  yield* calm(c);
  const measure = (n: SimNode) => n.eventsPerSecond;
  // Few nodes cannot be more level than their busiest sessions are small.
  const mean = c.active().reduce((sum, n) => sum + measure(n), 0) / nodes.length;
  const maxOverMean = Math.max(MAX_OVER_MEAN, 1 + (1.5 * (hotClasses.at(-1) ?? 0)) / mean);
  return {
    minimumMoves,
    mostMoves: Math.max(minimumMoves * 1.01, minimumMoves + 2 * Math.min(100, sizes.nodes)),
    maxOverMean,
    measure,
  };
}

/** Events a second of the classes of sessions in `hot-users`. */
export const hotClasses = [0.01, 0.5, 1, 2, 4, 8, 16];

/** Fewest sessions whose leaving takes every node down to the mean. */
function fewestByLoad(nodes: readonly SimNode[]): number {
  let total = 0;
  for (const n of nodes) total += n.eventsPerSecond;
  const mean = total / nodes.length;
  let moves = 0;
  for (const n of nodes) {
    let excess = n.eventsPerSecond - mean;
    for (let cls = hotClasses.length - 1; cls >= 1 && excess > 0; cls--) {
      const rate = hotClasses[cls] ?? 0;
      const count = Math.min(n.byClass[cls] ?? 0, Math.ceil(excess / rate));
      moves += count;
      excess -= count * rate;
    }
  }
  return moves;
}

/** One node dies and returns twenty times, a few seconds apart, then stays. */
function* flapping(c: SimCluster, sizes: Sizes): Script {
  const nodes = seatEvenly(c, sizes);
  yield* forMs(c, 5000);
  const victim = c.random.pick(nodes);
  for (let i = 0; i < 20; i++) {
    c.crash(victim);
    yield* forMs(c, 1000 + c.random.below(4000));
    c.restart(victim, '1');
    yield* forMs(c, 5000 + c.random.below(10_000));
  }
  yield* until(c, 'filled again', () => victim.sessions > (sizes.sessions / sizes.nodes) * 0.9);
  yield* calm(c);
  const share = Math.ceil(sizes.sessions / sizes.nodes);
  return { minimumMoves: share, mostMoves: share * 5, maxOverMean: MAX_OVER_MEAN, measure: bySessions };
}

export const scenarios: Record<ScenarioName, (c: SimCluster, sizes: Sizes) => Script> = {
  join,
  leave,
  'rolling-deploy': rollingDeploy,
  'rolling-in-place': rollingInPlace,
  'hot-users': hotUsers,
  flapping,
};
