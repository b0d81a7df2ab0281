import { type Verdict, verdictOf } from './patch.js';

type Attempt = (command: string) => { status: number; output: string };

/** What random schedules found of a mutant. */
export interface Played {
  readonly mutant: string;
  readonly verdict: Verdict;
  /** Of the schedule that failed. */
  readonly seed?: number;
  /** How many were played. */
  readonly schedules: number;
}

const chaosOf = (seed: number): string => `npm run chaos -- --no-shrink --seed ${seed}`;

/** One schedule after another until one fails. */
export function playUntilCaught(
  seeds: readonly number[],
  attempt: Attempt,
  isLate: () => boolean,
): Omit<Played, 'mutant'> {
  let schedules = 0;
  for (const seed of seeds) {
    if (isLate()) return { verdict: 'not run', schedules };
    schedules += 1;
    const verdict = verdictOf(attempt(chaosOf(seed)));
    if (verdict !== 'survived') return { verdict, seed, schedules };
  }
  return { verdict: 'survived', schedules };
}

/** Plays without any breakage what has caught something; what fails then has caught nothing. */
export function without(played: readonly Played[], attempt: Attempt, say: (line: string) => void): Played[] {
  const seeds = new Set(
    played.flatMap(({ verdict, seed }) => (verdict === 'caught' ? [seed as number] : [])),
  );
  const failing = new Set<number | undefined>();
  for (const seed of seeds) {
    const isGood = attempt(chaosOf(seed)).status === 0;
    if (!isGood) failing.add(seed);
    say(`seed ${seed} ${isGood ? 'passes' : 'FAILS'} without any breakage`);
  }
  return played.map((each) => (failing.has(each.seed) ? { ...each, verdict: 'unclear' as const } : each));
}
