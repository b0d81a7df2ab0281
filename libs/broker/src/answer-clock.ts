/** How often the clocks that share it ask. */
export class AskingPace {
  /** Clocks that ask at present. */
  running = 0;
  readonly #leastMs: number;
  readonly #perSecond: number;

  /** Each waits `leastMs` between an answer and the next question; all together they ask `perSecond` times at most. */
  constructor(leastMs: number, perSecond = Number.POSITIVE_INFINITY) {
    this.#leastMs = leastMs;
    this.#perSecond = perSecond;
  }

  get everyMs(): number {
    return Math.max(this.#leastMs, (this.running * 1_000) / this.#perSecond);
  }
}

/**
 * Counts answers of the broker, which it is asked for, one after the other, while somebody wants to know what it has had of what
 * was settled: that shows it however slow the way is, and however long this process stood still.
 */
export class AnswerClock {
  ticks = 0;
  /** So many answers after a settlement whoever settles has had it: the first may be to a question of before. */
  readonly needed: number;
  readonly #ask: () => Promise<unknown>;
  readonly #pace: AskingPace;
  #left = 0;
  #isAsking = false;

  /** `ask` resolves when the broker has answered on the channel of the settlements, and rejects when that has gone. */
  constructor(ask: () => Promise<unknown>, pace: AskingPace, needed: number) {
    this.#ask = ask;
    this.#pace = pace;
    this.needed = needed;
  }

  /** Somebody wants to know whether the broker has had what is settled by now. */
  wanted(): void {
    this.#left = this.needed;
    if (!this.#isAsking) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isAsking = true;
    this.#pace.running += 1;
    try {
      for (; this.#left > 0; this.#left -= 1) {
        await new Promise<void>((resolve) => setTimeout(resolve, this.#pace.everyMs).unref());
        await this.#ask();
        this.ticks += 1;
      }
    } catch {
      // The channel has gone, and what was delivered on it.
    }
    this.#pace.running -= 1;
    this.#isAsking = false;
  }
}
