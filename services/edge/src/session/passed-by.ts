import { type GapReason, gapReasons } from '@evenkeel/protocol';

export interface PassedByOptions {
  /** Something is missing from here on, so the queue's seal shows nothing any more. What is told: `why`, unless more is missing. */
  begin(why: GapReason): GapReason;
  /** The client is told in this place. */
  tell(why: GapReason): void;
}

/**
 * Events go past a session's queue, between two marks in it. The client is told once that is over, or with the first event that shows that
 * it is: who looks then for what is missing finds it all. Who was to see to it and was cut off has left the first mark alone; then it is
 * over where this edge has bound the queue.
 */
export class PassedBy {
  readonly #options: PassedByOptions;
  /** Undefined: there was no mark, or that is over. */
  #passing: { why: GapReason; isTold: boolean } | undefined;
  #isBound = false;

  constructor(options: PassedByOptions) {
    this.#options = options;
  }

  /** A mark has come, and its counterpart has not. */
  get isOn(): boolean {
    return this.#passing !== undefined;
  }

  /** What the client is to be told and has not been. */
  get untold(): GapReason | undefined {
    return this.#passing?.isTold === false ? this.#passing.why : undefined;
  }

  /** A mark has come. */
  mark(isOver: boolean): void {
    // Whoever had the session when it began may have told it before it was over.
    if (!isOver || this.#passing === undefined) {
      const passing = { why: this.untold ?? gapReasons.brokerLost, isTold: false };
      this.#passing = passing;
      passing.why = this.#options.begin(passing.why);
    }
    if (!isOver) return;
    this.tell();
    this.#passing = undefined;
  }

  /** All has come that was in the queue when this edge bound it: what had got in behind the mark stands before what is missing. */
  bound(): void {
    if (this.#passing === undefined) return;
    this.#passing.isTold = false;
    this.#isBound = true;
  }

  /** An event has come that had not gone past. */
  tell(): void {
    if (this.#passing === undefined || this.#passing.isTold) return;
    const { why } = this.#passing;
    this.#passing.isTold = true;
    if (this.#isBound) this.#passing = undefined;
    this.#isBound = false;
    this.#options.tell(why);
  }
}
