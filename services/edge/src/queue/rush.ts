export interface RushOptions {
  /** So many a second are a rush. */
  readonly perSecond: number;
  /** Shortest time over which they are counted, ms. */
  readonly overMs: number;
  /** A clock that nobody sets, ms. */
  now(): number;
}

/** Whether an edge has its hands full with something, by a count of it that only grows. */
export class Rush {
  readonly #count: () => number;
  readonly #options: RushOptions;
  #countedAtMs: number;
  #counted: number;
  #isOn = false;

  constructor(count: () => number, options: RushOptions) {
    this.#count = count;
    this.#options = options;
    this.#countedAtMs = options.now();
    this.#counted = count();
  }

  /** As of the time since it was asked last, or a little earlier. */
  get isOn(): boolean {
    const { perSecond, overMs, now } = this.#options;
    const ms = now() - this.#countedAtMs;
    if (ms < overMs) return this.#isOn;
    const count = this.#count();
    this.#isOn = (count - this.#counted) * 1_000 >= perSecond * ms;
    this.#countedAtMs += ms;
    this.#counted = count;
    return this.#isOn;
  }
}
