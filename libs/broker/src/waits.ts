import type { AnswerClock } from './answer-clock.js';

type Clock = Pick<AnswerClock, 'ticks' | 'settled'>;

/** The broker waits as well once it has so many for a channel that are not written to its connection. */
const unsentLimit = 200;

/**
 * Before which deliveries of a consumer the broker may have had to wait. It sends one when there are fewer unsettled than the prefetch, so
 * before the nth it waited only for settlement number n - prefetch; and not if it had that before. It has what it has answered behind, and
 * once more after a moment, as its queue may be busy. How many this process has in hand does not show it: what the broker has sent may still
 * be on its way.
 */
export class Waits {
  readonly #prefetch: number;
  readonly #clock: Clock;
  #delivered = 0;
  #settled = 0;
  /** Settlements before the present tick, before the last, and so on. */
  #before: readonly [number, number, number] = [0, 0, 0];
  #at = 0;

  constructor(prefetch: number, clock: Clock) {
    this.#prefetch = prefetch;
    this.#clock = clock;
  }

  /** So many more may be on their way: 0, the broker has sent as many as it may, and they have come. */
  get room(): number {
    return this.#prefetch - this.#delivered + this.#settled;
  }

  /** A delivery has come. @returns whether the broker may have waited before it sent it */
  delivered(): boolean {
    this.#delivered += 1;
    this.#age();
    return this.#delivered - Math.min(this.#prefetch, unsentLimit) > this.#before[2];
  }

  /** A delivery is settled. */
  settled(): void {
    this.#age();
    this.#settled += 1;
    this.#clock.settled();
  }

  #age(): void {
    const { ticks } = this.#clock;
    const passed = Math.min(ticks - this.#at, this.#before.length);
    for (let n = 0; n < passed; n += 1) {
      const [first, second] = this.#before;
      this.#before = [this.#settled, first, second];
    }
    this.#at = ticks;
  }
}
