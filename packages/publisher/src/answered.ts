/** Bytes of outcomes that are remembered. */
const maxBytes = 16_777_216;

/** What became of messages by their id, the last `limit`: a repeat gets what the first got. */
export class Answered<Outcome> {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #limit: number;
  readonly #sizeOf: (outcome: Outcome) => number;
  #bytes = 0;

  constructor(limit: number, sizeOf: (outcome: Outcome) => number = () => 0) {
    this.#limit = limit;
    this.#sizeOf = sizeOf;
  }

  /** Undefined: none with this id, or it is long ago. */
  of(id: string | undefined): Outcome | undefined {
    return id === undefined ? undefined : this.#outcomes.get(id);
  }

  /** Without an id it cannot be told from others, and is not remembered. */
  remember(id: string | undefined, outcome: Outcome): void {
    if (id === undefined) return;
    this.#forget(id);
    this.#outcomes.set(id, outcome);
    this.#bytes += this.#sizeOf(outcome);
    for (const oldest of this.#outcomes.keys()) {
      if (this.#outcomes.size <= this.#limit && this.#bytes <= maxBytes) return;
      this.#forget(oldest);
    }
  }

  #forget(id: string): void {
    const outcome = this.#outcomes.get(id);
    if (outcome === undefined) return;
    this.#outcomes.delete(id);
    this.#bytes -= this.#sizeOf(outcome);
  }
}
