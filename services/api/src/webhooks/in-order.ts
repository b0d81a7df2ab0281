/** Does what has the same key one after the other, what has another at the same time. */
export class InOrder {
  readonly #last = new Map<string, Promise<void>>();

  /** Keys with something to do. */
  get size(): number {
    return this.#last.size;
  }

  push(key: string, work: () => Promise<void>): void {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work).finally(() => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    });
    this.#last.set(key, mine);
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.allSettled(this.#last.values());
  }
}
