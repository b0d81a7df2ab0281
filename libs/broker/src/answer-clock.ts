/** Between an answer and the next question, ms. */
const everyMs = 50;
/** So many answers after a settlement the broker has had it: the first may be to a question of before. */
export const answersNeeded = 2;

/**
 * Counts the broker's answers on a channel, which it is asked for, one after the other, while somebody wants to know what it has had of what
 * was settled there: that shows it however slow the way is, and however long this process stood still.
 */
export class AnswerClock {
  ticks = 0;
  readonly #ask: () => Promise<unknown>;
  #left = 0;
  #isAsking = false;

  /** `ask` resolves when the broker has answered on the channel, and rejects when that has gone. */
  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask;
  }

  /** Somebody wants to know whether the broker has had what is settled by now. */
  wanted(): void {
    this.#left = answersNeeded;
    if (!this.#isAsking) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isAsking = true;
    try {
      for (; this.#left > 0; this.#left -= 1) {
        await new Promise<void>((resolve) => setTimeout(resolve, everyMs).unref());
        await this.#ask();
        this.ticks += 1;
      }
    } catch {
      // The channel has gone, and what was delivered on it.
    }
    this.#isAsking = false;
  }
}
