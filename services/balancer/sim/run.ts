import { SimCluster } from './cluster.js';
import { type HistoryEvent, history } from './history.js';
import { hotClasses, type ScenarioName, type Script, type Sizes, scenarios } from './scenarios.js';

interface SimResult {
  readonly planMs: number;
  readonly moves: number;
  readonly minimumMoves: number;
  readonly maxMovesPerSession: number;
  readonly movesPerSession: number;
  readonly maxOverMean: number;
  readonly steps: number;
  readonly seed: number;
}

export interface SimRun {
  readonly result: SimResult;
  readonly plans: number;
  /** Why the run has failed; empty when all that it promises held. */
  readonly failures: readonly string[];
}

const MAX_PLAN_MS = 1000;

/** Runs one scenario to its end. Everything but `planMs` depends on the arguments alone. */
export function simulate(name: ScenarioName, sizes: Sizes, seed: number, clock: () => number): SimRun {
  return run(scenarios[name], name === 'hot-users', sizes, seed, clock);
}

/** Runs any history of events, then waits for calm. */
export function simulateHistory(events: readonly HistoryEvent[], sizes: Sizes, seed: number): SimRun {
  return run(
    (cluster) => history(cluster, sizes, events),
    false,
    sizes,
    seed,
    () => 0,
  );
}

function run(
  scenario: (c: SimCluster, sizes: Sizes) => Script,
  isHot: boolean,
  sizes: Sizes,
  seed: number,
  clock: () => number,
): SimRun {
  const cluster = new SimCluster(
    {
      seed,
      stepMs: 100,
      churnPerSecond: isHot ? 0 : sizes.sessions * 1e-6,
      failureRatio: 0.0005,
      classes: isHot ? hotClasses : [0],
      balancer: { load: isHot ? 'events' : 'connections' },
    },
    clock,
  );
  const script = scenario(cluster, sizes);
  let turn = script.next();
  while (turn.done !== true) {
    cluster.step();
    turn = script.next();
  }
  const { minimumMoves, mostMoves, maxOverMean: limit, measure } = turn.value;
  const maxOverMean = cluster.maxOverMean(measure);
  let most = 0;
  for (const node of cluster.nodes.values()) {
    node.byMoves.forEach((n, m) => {
      if (n > 0) most = Math.max(most, m);
    });
  }
  const failures = [...cluster.violations.list];
  if (cluster.moves > mostMoves) failures.push(`${cluster.moves} moves, more than ${Math.floor(mostMoves)}`);
  if (maxOverMean > limit)
    failures.push(`the fullest node has ${maxOverMean.toFixed(4)} of the mean, over ${limit}`);
  if (cluster.planMs > MAX_PLAN_MS) failures.push(`planning took ${Math.round(cluster.planMs)} ms`);
  return {
    result: {
      planMs: Math.round(cluster.planMs * 10) / 10,
      moves: cluster.moves,
      minimumMoves,
      maxMovesPerSession: most,
      movesPerSession: Math.round((cluster.moves / sizes.sessions) * 1e6) / 1e6,
      maxOverMean: Math.round(maxOverMean * 1e6) / 1e6,
      steps: cluster.steps,
      seed,
    },
    plans: cluster.plans.length,
    failures,
  };
}
