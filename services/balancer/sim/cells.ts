import { type SimRun, simulate } from './run.js';
import type { ScenarioName, Sizes } from './scenarios.js';

/** What the balancers of so many cells did, together. */
interface CellsResult {
  readonly cells: number;
  readonly nodes: number;
  readonly sessions: number;
  readonly moves: number;
  /** The longest plan of one cell. */
  readonly maxPlanMs: number;
  /** Of all cells, one after the other. */
  readonly totalPlanMs: number;
  readonly maxOverMean: number;
}

/** A scenario in so many cells. They know nothing of each other: each has a balancer, and a seed, of its own. */
export function simulateCells(
  scenario: ScenarioName,
  sizes: Sizes,
  { seed, cells }: { readonly seed: number; readonly cells: number },
  clock: () => number,
): { readonly result: CellsResult; readonly failures: readonly string[]; readonly text: string } {
  const runs: SimRun[] = [];
  for (let n = 0; n < cells; n++) runs.push(simulate(scenario, sizes, seed + n, clock));
  const of = (figure: (run: SimRun) => number) => runs.map(figure);
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
  const planMs = of(({ result }) => result.planMs);
  const result = {
    cells,
    nodes: sizes.nodes * cells,
    sessions: sizes.sessions * cells,
    moves: sum(of((run) => run.result.moves)),
    maxPlanMs: Math.max(...planMs),
    totalPlanMs: Math.round(sum(planMs) * 10) / 10,
    maxOverMean: Math.max(...of((run) => run.result.maxOverMean)),
  };
  const failures = runs.flatMap((run, n) => run.failures.map((failure) => `cell ${n}: ${failure}`));
  const rows = Object.entries(result).map(([key, value]) => `  ${key.padEnd(20)} ${value}`);
  return { result, failures, text: [`${scenario} in ${cells} cells`, ...rows].join('\n') };
}
