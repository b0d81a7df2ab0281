import { Fifo } from '@evenkeel/pace';

/** Something that has so much to do. */
export interface Busy {
  /** What it has to do in a minute, about. */
  readonly perMinute: number;
}

/** Busier by less than twice counts as alike. */
const classes = 32;
const classOf = ({ perMinute }: Busy): number =>
  perMinute < 1 ? 0 : Math.min(1 + Math.floor(Math.log2(perMinute)), classes - 1);

/** Things that wait: the busiest comes first, and of those that are about as busy the one that has waited longest. Has no limit. */
export class BusiestFirst<T extends Busy> {
  readonly #waiting = Array.from({ length: classes }, () => new Fifo<T>());

  push(item: T): void {
    this.#waiting[classOf(item)]?.push(item);
  }

  /** The one that comes next, which stays. */
  peek(): T | undefined {
    return this.#first()?.peek();
  }

  /** Takes the one that comes next. */
  shift(): T | undefined {
    return this.#first()?.shift();
  }

  clear(): void {
    for (const each of this.#waiting) each.drain();
  }

  #first(): Fifo<T> | undefined {
    return this.#waiting.findLast(({ length }) => length > 0);
  }
}
