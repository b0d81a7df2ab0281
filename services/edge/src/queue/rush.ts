/** Events a second that make a rush: about a quarter of what one edge writes at most. */
export const rushPerSecond = 2_000;
/** Shortest time over which they are counted, ms. */
export const shortestMs = 50;

/** Whether an edge has its hands full with events, by a count of them that only grows. */
export class Rush {
  readonly #count: () => number;
  readonly #now: () => number;
  #countedAtMs: number;
  #counted: number;
  #isOn = false;

  /** `now`: a clock that nobody sets, ms. */
  constructor(count: () => number, now: () => number) {
    this.#count = count;
    this.#now = now;
    this.#countedAtMs = now();
    this.#counted = count();
  }

  /** As of the time since it was asked last, or a little earlier. */
  get isOn(): boolean {
    const ms = this.#now() - this.#countedAtMs;
    if (ms < shortestMs) return this.#isOn;
    const count = this.#count();
    this.#isOn = (count - this.#counted) * 1_000 >= rushPerSecond * ms;
    this.#countedAtMs += ms;
    this.#counted = count;
    return this.#isOn;
  }
}
