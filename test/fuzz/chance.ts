import { seededRandom } from '@evenkeel/testkit';

/** Choices that are the same for the same seed. */
export class Chance {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** From 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** So often of a hundred. */
  percent(often: number): boolean {
    return this.#random() * 100 < often;
  }

  /** Mostly small: each further one is half as likely, up to `most`. */
  few(most: number): number {
    let count = 1;
    while (count < most && this.percent(50)) count += 1;
    return count;
  }

  of<T>(all: readonly T[]): T {
    if (all.length === 0) throw new RangeError('there is nothing to choose from');
    return all[this.below(all.length)] as T;
  }
}
