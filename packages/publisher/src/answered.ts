/** The outcome of one message's handling: what is sent back, for every repeat of it. */
export interface Outcome {
  body: Buffer;
  /** Code of the error that the handler threw. */
  errorCode?: string;
}

/** Outcomes by message id, the last `limit`: a repeat gets that of the first, also while it is being worked out. */
export class Answered {
  private readonly outcomes = new Map<string, Promise<Outcome>>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** That of the first with this id; runs `handle` only for it. Without an id every message is the first. */
  once(id: string | undefined, handle: () => Promise<Outcome>): Promise<Outcome> {
    if (id === undefined) return handle();
    const known = this.outcomes.get(id);
    if (known) return known;
    const outcome = handle();
    this.outcomes.set(id, outcome);
    if (this.outcomes.size > this.limit) {
      for (const oldest of this.outcomes.keys()) {
        this.outcomes.delete(oldest);
        break;
      }
    }
    return outcome;
  }

  /** The next with this id is a first again. */
  forget(id: string | undefined): void {
    if (id !== undefined) this.outcomes.delete(id);
  }
}
