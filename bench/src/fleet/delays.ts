const stepsPerDoubling = 8;
const buckets = 26 * stepsPerDoubling;

/** Delays in ms, counted in buckets 9 % wide up to 18 hours: a fixed size whatever comes, and it can be added up. */
export class Delays {
  count = 0;
  maxMs = 0;
  readonly #counts: Uint32Array;

  constructor(counts: Uint32Array = new Uint32Array(buckets), count = 0, maxMs = 0) {
    this.#counts = counts;
    this.count = count;
    this.maxMs = maxMs;
  }

  add(delayMs: number): void {
    const ms = Math.max(0, delayMs);
    const bucket = Math.min(buckets - 1, Math.ceil(Math.log2(ms + 1) * stepsPerDoubling));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.count++;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  merge(other: DelaysDump): void {
    for (const [bucket, n] of other.counts.entries()) {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + n;
    }
    this.count += other.count;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /** The delay that this part (0 to 1) of them did not exceed, ms; 0 when there are none. */
  quantileMs(part: number): number {
    let left = Math.ceil(this.count * part);
    for (const [bucket, n] of this.#counts.entries()) {
      left -= n;
      if (n > 0 && left <= 0) return Math.min(this.maxMs, 2 ** (bucket / stepsPerDoubling) - 1);
    }
    return 0;
  }

  /** As it goes from one process to another. */
  dump(): DelaysDump {
    return { counts: this.#counts, count: this.count, maxMs: this.maxMs };
  }
}

/** See {@link Delays.dump}. */
export interface DelaysDump {
  readonly counts: Uint32Array;
  readonly count: number;
  readonly maxMs: number;
}
