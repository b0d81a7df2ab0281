/** Between an answer and the next question, ms. */
const everyMs = 250;
/** So many answers after the last settlement nobody needs more. */
const answersNeeded = 4;

/**
 * Counts the broker's answers on a channel, which it is asked for, one after the other, while anything is settled there. Two answers after a
 * settlement the broker has had it, however slow the way is and however long this process stood still.
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

  /** Something has just been settled. */
  settled(): void {
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
