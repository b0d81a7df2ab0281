/** A token bucket that takes the time as an argument. Starts full. */
export class TokenBucket {
  /** See {@link setRate}. */
  perSecond: number;
  burst: number;
  #tokens: number;
  #atMs: number;

  /** Holds `burst` tokens at most and gains `perSecond` a second. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.perSecond = perSecond;
    this.burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Whole tokens at hand. */
  available(nowMs: number): number {
    this.#refill(nowMs);
    return Math.floor(this.#tokens);
  }

  /** Takes `count` tokens; false, and nothing taken, when there are fewer. */
  tryTake(nowMs: number, count = 1): boolean {
    this.#refill(nowMs);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Milliseconds until `count` tokens are there: 0 when they are, Infinity when the rate is 0. */
  waitMs(nowMs: number, count = 1): number {
    this.#refill(nowMs);
    const missing = count - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing * 1000) / this.perSecond);
  }

  #refill(nowMs: number): void {
    // A clock that steps back must not take tokens away.
    const elapsedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.perSecond) / 1000);
  }
}

/**
 * Changes the rate and, where given, the burst. What was earned at the old rate stays, up to the burst. A function of its own:
 * bundles for browsers do without it.
 */
export function setRate(bucket: TokenBucket, perSecond: number, nowMs: number, burst = bucket.burst): void {
  bucket.available(nowMs);
  bucket.perSecond = perSecond;
  bucket.burst = burst;
}
