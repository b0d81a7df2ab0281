/** Samples kept: the rate is that of the time between the first and the last. */
const samples = 8;

/** How fast a counter rises, from samples of it. Takes the time as an argument. */
export class Rate {
  readonly #samples: { atMs: number; count: number }[] = [];

  /** To be called every now and then, about twice a second. */
  sample(count: number, nowMs: number): void {
    this.#samples.push({ atMs: nowMs, count });
    if (this.#samples.length > samples) this.#samples.shift();
  }

  perSecond(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return 0;
    return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs);
  }
}
