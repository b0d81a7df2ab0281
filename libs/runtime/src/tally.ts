import type { Distribution } from './observed.js';

/** Counts what happens, by a label: the kinds must be few and known, or they are metrics without an end. */
export class Counts extends Map<string, number> {
  /** With kinds that are there from the beginning, as a counter should be whose growth is asked for. */
  static of(kinds: Iterable<string>): Counts {
    const counts = new Counts();
    for (const kind of kinds) counts.set(kind, 0);
    return counts;
  }

  add(kind: string, count = 1): void {
    this.set(kind, (this.get(kind) ?? 0) + count);
  }

  get total(): number {
    let sum = 0;
    for (const count of this.values()) sum += count;
    return sum;
  }
}

/** Counts values into a histogram, which costs a few comparisons each. */
export class Tally implements Distribution {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;

  /** @param bounds ascending; a value belongs to the first that it does not exceed. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(value: number): void {
    const { bounds, counts } = this;
    let n = 0;
    while (n < bounds.length && value > (bounds[n] ?? 0)) n += 1;
    counts[n] = (counts[n] ?? 0) + 1;
    this.sum += value;
  }
}

/** Bounds for times from a millisecond to ten seconds, in seconds. */
export const quickSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Bounds for times that may take a minute, in seconds. */
export const slowSeconds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/**
 * The value that a part `q` (0 to 1) of those counted does not exceed, as Prometheus' `histogram_quantile` estimates it; of those
 * beyond all bounds the last bound. Undefined: nothing was counted.
 */
export function quantile(
  q: number,
  { bounds, counts }: Pick<Distribution, 'bounds' | 'counts'>,
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  for (const [n, upper] of bounds.entries()) {
    const count = counts[n] ?? 0;
    const lower = n === 0 ? 0 : (bounds[n - 1] ?? 0);
    if (count > 0 && below + count >= rank) return lower + ((upper - lower) * (rank - below)) / count;
    below += count;
  }
  return bounds.at(-1);
}

/** The quantiles of what a histogram has counted lately. */
export class RecentQuantile {
  readonly #tally: Distribution;
  readonly #samples: number;
  /** As its counts were at the last samples, oldest first. */
  readonly #before: (readonly number[])[] = [];

  /** @param samples how many of the last ones count. */
  constructor(tally: Distribution, samples: number) {
    this.#tally = tally;
    this.#samples = samples;
    this.#before.push([...tally.counts]);
  }

  /** To be called at even times. Of what was counted since the sample so many times ago; undefined: nothing was. */
  sample(q: number): number | undefined {
    const { bounds, counts } = this.#tally;
    const before = this.#before[0] ?? [];
    const since = counts.map((count, n) => count - (before[n] ?? 0));
    this.#before.push([...counts]);
    if (this.#before.length > this.#samples) this.#before.shift();
    return quantile(q, { bounds, counts: since });
  }
}
