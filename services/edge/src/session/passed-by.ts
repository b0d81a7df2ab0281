export interface PassedByOptions {
  /** Events have begun to go past the queue; from here on nothing proves that none are missing. */
  onBegin(): void;
  /** Its client is to be told, where the next event would stand. */
  onMissing(): void;
}

/**
 * Events go past a session's queue while nothing binds it. Whoever saw to that has left marks in it, where that begins and where it is over;
 * who was cut off in between has left the first alone, and then it is over where this edge has bound it.
 */
export class PassedBy {
  readonly #options: PassedByOptions;
  #is: 'untold' | 'told' | undefined;
  #isBound = false;

  constructor(options: PassedByOptions) {
    this.#options = options;
  }

  /** There was a mark, and no end of it so far. */
  get isOn(): boolean {
    return this.#is !== undefined;
  }

  get isUntold(): boolean {
    return this.#is === 'untold';
  }

  /** Told once that is over, or with the first event that shows that it is: who looks then for what is missing finds it all. */
  mark(isOver: boolean): void {
    // Whoever had the session when it began may have told it before it was over.
    if (!isOver || this.#is === undefined) {
      this.#is = 'untold';
      this.#options.onBegin();
    }
    if (!isOver) return;
    this.event();
    this.#is = undefined;
  }

  /** All has come that was in the queue when this edge bound it: what had got in behind the mark stands before what is missing. */
  bound(): void {
    if (this.#is === undefined) return;
    this.#is = 'untold';
    this.#isBound = true;
  }

  /** An event has come. */
  event(): void {
    if (this.#is !== 'untold') return;
    this.#is = this.#isBound ? undefined : 'told';
    this.#isBound = false;
    this.#options.onMissing();
  }
}
