const sameEveryMs = 60_000;

/** Why nothing is being done, or what is; a change of it is logged, and what stays so once a minute. */
export class Reason {
  readonly #log: (event: string, fields: object) => void;
  #text = 'starting';
  #atMs = Number.NEGATIVE_INFINITY;

  constructor(log: (event: string, fields: object) => void) {
    this.#log = log;
  }

  get text(): string {
    return this.#text;
  }

  /** Something is done, and logged by who does it. */
  is(text: string): void {
    this.#text = text;
  }

  /** Nothing is done. */
  explain(why: string, nowMs: number): void {
    if (why === this.#text && nowMs - this.#atMs < sameEveryMs) return;
    this.#text = why;
    this.#atMs = nowMs;
    this.#log('nothing to do', { why });
  }
}
