/** A tick, ms. */
const tickMs = 250;

/**
 * Counts the time that this process has run, in ticks of 250 ms. Where it stands still (stopped, swapped out, at work on one thing) that
 * counts as one tick at most: what two things have in between is what this process could have seen, not what passed outside.
 */
export class RunningClock {
  ticks = 0;
  #timer: NodeJS.Timeout | undefined;

  /** From now on, if it does not count yet. Keeps no process alive. */
  start(): void {
    this.#timer ??= setInterval(() => {
      this.ticks += 1;
    }, tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
