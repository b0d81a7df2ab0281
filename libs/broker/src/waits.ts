import type { RunningClock } from './running-clock.js';

/**
 * Before which deliveries of a consumer the broker may have had to wait for acknowledgements. It sends a delivery when there are fewer
 * unacknowledged than the prefetch, so before the nth it waited only for settlement number n - prefetch; and not if it has had that for long, which is 100 to 150 ms. How many this process has in hand does not show it: what the broker has sent may still be on its way.
 */
export class Waits {
  readonly #prefetch: number;
  readonly #clock: Pick<RunningClock, 'ticks'>;
  #delivered = 0;
  #settled = 0;
  /** Settlements before the present tick, before the last, and before the one before that. */
  #before: [number, number, number] = [0, 0, 0];
  #at = 0;

  constructor(prefetch: number, clock: Pick<RunningClock, 'ticks'>) {
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
    return this.#delivered - this.#prefetch > this.#before[2];
  }

  /** A delivery is settled. */
  settled(): void {
    this.#age();
    this.#settled += 1;
  }

  #age(): void {
    const { ticks } = this.#clock;
    const passed = Math.min(ticks - this.#at, this.#before.length);
    for (let n = 0; n < passed; n += 1) this.#before = [this.#settled, this.#before[0], this.#before[1]];
    this.#at = ticks;
  }
}
