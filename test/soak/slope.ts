/** What was counted at a moment, `atMs` from the beginning. */
export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

export interface Slope {
  readonly first: number;
  readonly last: number;
  /** By the line of least squares, from the first sample that counts to the last. */
  readonly growth: number;
  /** How far the samples are from that line: their standard deviation. */
  readonly noise: number;
  /** More than noise, and more than `allowed`. */
  readonly isGrowing: boolean;
}

/** The beginning fills caches and compiles: this part of the samples does not count. */
const warmUpPart = 1 / 3;
/** Growth within so many standard deviations is none. */
const noises = 3;
/** Of what there was at first. */
const allowedPart = 0.1;

/** Whether what was sampled grows. `allowed`: growth that is none in any case, in its unit. Needs 6 samples. */
export function slopeOf(samples: readonly Sample[], allowed: number): Slope {
  const counted = samples.slice(Math.floor(samples.length * warmUpPart));
  const [from, to] = [counted[0], counted.at(-1)];
  if (from === undefined || to === undefined || counted.length < 4)
    throw new RangeError(`${samples.length} samples say nothing: at least 6 are needed`);
  const mean = (of: (sample: Sample) => number) =>
    counted.reduce((sum, sample) => sum + of(sample), 0) / counted.length;
  const [atMs, value] = [mean((sample) => sample.atMs), mean((sample) => sample.value)];
  const spread = mean((sample) => (sample.atMs - atMs) ** 2);
  const perMs = mean((sample) => (sample.atMs - atMs) * (sample.value - value)) / spread;
  const growth = perMs * (to.atMs - from.atMs);
  const noise = Math.sqrt(mean((sample) => (sample.value - value - perMs * (sample.atMs - atMs)) ** 2));
  const isGrowing = growth > Math.max(allowed, noises * noise, value * allowedPart);
  return { first: from.value, last: to.value, growth, noise, isGrowing };
}
