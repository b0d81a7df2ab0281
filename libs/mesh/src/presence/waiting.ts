/** Waits for something that happens once. */
export class Waiting {
  /** It has happened. */
  isOver = false;
  readonly #waiting = new Set<() => void>();

  /** Resolves when it has happened, or after `timeoutMs`. */
  async wait(timeoutMs: number): Promise<void> {
    if (this.isOver) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(done);
    });
  }

  end(): void {
    this.isOver = true;
    for (const done of this.#waiting) done();
  }
}
