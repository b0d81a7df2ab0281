import Denque from 'denque';

/** First in, first out, at a constant cost however many wait. Has no limit: its owner sets one. */
export class Fifo<T> {
  #items = new Denque<T>();

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first, which stays. */
  peek(): T | undefined {
    return this.#items.peekFront();
  }

  /** Takes the first. */
  shift(): T | undefined {
    return this.#items.shift();
  }

  /** Puts `items` before everything else, in their order. */
  prepend(items: readonly T[]): void {
    for (let i = items.length - 1; i >= 0; i--) this.#items.unshift(items[i] as T);
  }

  /** Empties it and returns what was in it. */
  drain(): T[] {
    const items = this.#items.toArray();
    this.#items = new Denque<T>();
    return items;
  }
}
