import { type AnswerClock, answersNeeded } from './answer-clock.js';

type Clock = Pick<AnswerClock, 'ticks' | 'wanted'>;

/** The broker waits as well once it has so many for a channel that are not written to its connection. */
const unsentLimit = 200;

/**
 * Before which deliveries of a consumer the broker may have had to wait. It sends one when there are fewer unsettled than the prefetch, so
 * before the nth it waited only for settlement number n - prefetch; and not if it has answered behind that. How many this
 * process has in hand does not show it: what the broker has sent may still be on its way.
 */
export class Waits {
  readonly #prefetch: number;
  /** Of what it has sent it waits for the settlement that is so many before the next. */
  readonly #most: number;
  readonly #clock: Clock;
  #delivered = 0;
  #settled = 0;
  /** Settlements before the present tick, before the last, and so on: the last of these the broker has had. */
  readonly #before: number[] = new Array<number>(answersNeeded).fill(0);
  #at = 0;

  constructor(prefetch: number, clock: Clock) {
    this.#prefetch = prefetch;
    this.#most = Math.min(prefetch, unsentLimit);
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
    return this.#delivered - this.#most > this.#known;
  }

  /** A delivery is settled. */
  settled(): void {
    this.#age();
    this.#settled += 1;
    // Long before it matters, and seldom.
    if (this.#delivered - this.#known > this.#most / 2) this.#clock.wanted();
  }

  get #known(): number {
    return this.#before.at(-1) ?? 0;
  }

  #age(): void {
    const { ticks } = this.#clock;
    const passed = Math.min(ticks - this.#at, this.#before.length);
    for (let n = 0; n < passed; n += 1) {
      this.#before.pop();
      this.#before.unshift(this.#settled);
    }
    this.#at = ticks;
  }
}
