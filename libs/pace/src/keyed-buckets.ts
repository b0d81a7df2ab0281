import { TokenBucket } from './token-bucket.js';

/** A token bucket for each key. Takes the time as an argument. */
export class KeyedBuckets {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #most: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, TokenBucket>();

  /**
   * Of each key `burst` at once, and `perSecond`. Of more than `most` keys the one that was used longest ago is forgotten, and
   * begins anew.
   */
  constructor(perSecond: number, burst: number, most = 100_000) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#most = most;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes `count` of `key` where `kept` are left then: 0, or how many milliseconds there are fewer for, and nothing taken. */
  take(key: string, nowMs: number, count = 1, kept = 0): number {
    const known = this.#buckets.get(key);
    const bucket = known ?? new TokenBucket(this.#perSecond, this.#burst, nowMs);
    if (known !== undefined) this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#most) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    const waitMs = bucket.waitMs(nowMs, count + kept);
    if (waitMs === 0) bucket.tryTake(nowMs, count);
    return waitMs;
  }
}
