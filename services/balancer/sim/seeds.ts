import { randomHistory } from './history.js';
import { simulateHistory } from './run.js';

export interface Played {
  /** One line a seed that broke an invariant. */
  readonly failures: readonly string[];
  /** What came of it, in one line. */
  readonly text: string;
}

/** Plays one random history a seed, from `first` on. */
export function playSeeds(first: number, count: number): Played {
  const beganAtMs = performance.now();
  const failed: string[] = [];
  let steps = 0;
  let moves = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { events, sizes } = randomHistory(seed);
    const { failures, result } = simulateHistory(events, sizes, seed);
    steps += result.steps;
    moves += result.moves;
    if (failures.length > 0) failed.push(`seed ${seed}: ${failures.join('; ')}`);
  }
  const seconds = Math.round((performance.now() - beganAtMs) / 1000);
  const hours = Math.round(steps / 36_000);
  const told = `${count} seeds: ${count - failed.length} kept every invariant, ${failed.length} did not`;
  return { failures: failed, text: `${told} (${hours} hours simulated, ${moves} moves, ${seconds} s)` };
}
