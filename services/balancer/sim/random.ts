/** Seeded randomness: the same seed gives the same run everywhere (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** One of `items`, each as likely. @throws RangeError when there are none. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }

  /** How many of `count` happen with probability `p` each; exact for small means, normal for large ones. */
  binomial(count: number, p: number): number {
    const mean = count * p;
    if (mean <= 0) return 0;
    if (mean > 30) {
      const sample = Math.round(mean + this.#normal() * Math.sqrt(mean * (1 - p)));
      return Math.min(count, Math.max(0, sample));
    }
    const limit = Math.exp(-mean);
    let product = this.next();
    let hits = 0;
    while (product > limit && hits < count) {
      hits += 1;
      product *= this.next();
    }
    return hits;
  }

  /** How many come in a second of which on average `mean` do. */
  poisson(mean: number): number {
    return this.binomial(Number.MAX_SAFE_INTEGER, mean / Number.MAX_SAFE_INTEGER);
  }

  #normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}
