/**
 * A token bucket for what happens so often that reading the clock each time would cost too much: it looks at the clock only when
 * nothing is left. Over any time it allows the burst and what it gains in that time, as a {@link TokenBucket} does. Starts full.
 */
export class Allowance {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  #left: number;
  #atMs: number;

  /** Allows `burst` at once and gains `perSecond`. `now`: in milliseconds. */
  constructor(perSecond: number, burst: number, now: () => number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#now = now;
    this.#left = burst;
    this.#atMs = now();
  }

  /** Takes `count`; false, and nothing taken, when so much is not left. What is more than the burst is never taken. */
  tryTake(count = 1): boolean {
    if (this.#left >= count) {
      this.#left -= count;
      return true;
    }
    const nowMs = this.#now();
    // A clock that steps back must not take anything away.
    this.#left = Math.min(this.#burst, this.#left + Math.max(0, nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }

  /** What was taken and not used. */
  giveBack(count: number): void {
    this.#left = Math.min(this.#burst, this.#left + count);
  }
}
