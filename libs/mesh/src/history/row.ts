/** Things with growing offsets, taken off at the front: found by offset in the time of a binary search. */
export class Row<T extends { readonly offset: number }> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  get last(): T | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.first;
    if (item === undefined) return undefined;
    this.#head += 1;
    // Copied seldom enough that each item is copied about once.
    if (this.#head >= 32 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The one with this offset. */
  at(offset: number): T | undefined {
    const item = this.#items[this.#indexAfter(offset - 1)];
    return item?.offset === offset ? item : undefined;
  }

  /** Those with larger offsets, oldest first. */
  after(offset: number): T[] {
    return this.#items.slice(this.#indexAfter(offset));
  }

  /** The newest, so many at most, oldest first. */
  newest(count: number): T[] {
    return count <= 0 ? [] : this.#items.slice(Math.max(this.#head, this.#items.length - count));
  }

  #indexAfter(offset: number): number {
    let [low, high] = [this.#head, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#items[middle] as T).offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
