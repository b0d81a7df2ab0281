const everyMs = 100;

/**
 * Tells how long what is being read may have lain unread: a process that was stopped, or had no time, finds when it goes on
 * what has come meanwhile, and nothing in it says when.
 */
export class Arrivals {
  #readUntilMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#readUntilMs = performance.now();
    this.#timer = setInterval(() => {
      const atMs = performance.now();
      // Timers run before the reading of one turn of the event loop, immediates after it.
      setImmediate(() => {
        this.#readUntilMs = atMs;
      });
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What is being read now has arrived since then, of `performance.now()`. */
  get sinceMs(): number {
    return this.#readUntilMs;
  }
}
