/** Bounds of a back-off, in milliseconds. */
export interface JitterBounds {
  minMs: number;
  maxMs: number;
}

/**
 * Exponential back-off with full jitter: uniform in [0, min(maxMs, minMs · 2^attempt)), attempts from 0.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitter(
  attempt: number,
  bounds: JitterBounds,
  random: () => number = Math.random,
): number {
  return random() * Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(Math.max(attempt, 0), 30));
}

/** A token bucket that takes the time as an argument. Starts full. */
export class TokenBucket {
  #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** `burst` tokens at most, refilled at `perSecond`. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Changes the rate; what was earned at the old one stays. */
  setRate(perSecond: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#perSecond = perSecond;
  }

  /** Whole tokens at hand. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#tokens);
  }

  /** Takes `count` tokens if there are as many. */
  tryTake(nowMs: number, count = 1): boolean {
    this.#refill(nowMs);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds until `count` tokens are there; 0 when they are; Infinity when the rate is 0. */
  waitMs(nowMs: number, count = 1): number {
    this.#refill(nowMs);
    const missing = count - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.#perSecond);
  }

  #refill(nowMs: number): void {
    // A clock that steps back must not take tokens away.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
  }
}

/** Percentiles over the last `capacity` values. */
export class Histogram {
  readonly #values: Float64Array;
  #count = 0;
  #next = 0;

  /** Default capacity: 512 values. */
  constructor(capacity = 512) {
    this.#values = new Float64Array(capacity);
  }

  /** Values held. */
  get count(): number {
    return this.#count;
  }

  /** Adds a value, forgetting the oldest beyond the capacity. */
  record(value: number): void {
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#values.length;
    if (this.#count < this.#values.length) this.#count++;
  }

  /** Nearest-rank percentile of what is held, `p` in (0, 100]; 0 when empty. */
  percentile(p: number): number {
    if (this.#count === 0) return 0;
    const sorted = this.#values.slice(0, this.#count).sort();
    const rank = Math.max(1, Math.ceil((p / 100) * this.#count));
    return sorted[Math.min(rank, this.#count) - 1] ?? 0;
  }

  /** The 99th percentile; 0 when empty. */
  get p99(): number {
    return this.percentile(99);
  }

  /** Forgets everything. */
  reset(): void {
    this.#count = 0;
    this.#next = 0;
  }
}

/** Resolves after `ms`; rejects with the signal's reason when aborted first. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
