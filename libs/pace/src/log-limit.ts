/** Lets one message through per interval and counts the rest. */
export class LogLimit {
  readonly #everyMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** The number of suppressed messages since the last one when this one may pass; undefined otherwise. */
  pass(nowMs: number): number | undefined {
    if (nowMs - this.#lastMs < this.#everyMs) {
      this.#suppressed++;
      return undefined;
    }
    const suppressed = this.#suppressed;
    this.#lastMs = nowMs;
    this.#suppressed = 0;
    return suppressed;
  }
}
