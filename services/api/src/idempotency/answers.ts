export interface AnswersRules {
  /** Keys remembered; beyond it the oldest is forgotten. */
  readonly maxKeys: number;
  /** Of what is remembered, together. */
  readonly maxBytes: number;
  /** How long a key is remembered. */
  readonly keepMs: number;
}

/** An answer, and whether it is to be remembered. */
export interface Done {
  readonly text: string;
  readonly isLasting: boolean;
}

interface Entry {
  readonly fingerprint: string;
  readonly atMs: number;
  readonly done: Promise<Done>;
  bytes: number;
}

/** What became of a request with an idempotency key. */
export type Once =
  | { readonly is: 'first' | 'repeat'; readonly done: Promise<Done> }
  /** The key was used for another request. */
  | { readonly is: 'conflict' };

/** What an entry takes beside its texts, roughly. */
const entryBytes = 200;

/**
 * The answers of requests that had an idempotency key, for those who ask again. A request that has failed, or whose
 * answer is not lasting, is forgotten: a repeat tries it anew. Takes the time as an argument.
 */
export class Answers {
  readonly #rules: AnswersRules;
  /** In the order of their time. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(rules: AnswersRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Does `work`, unless it is done, or was, for the same key and fingerprint. */
  once(key: string, fingerprint: string, nowMs: number, work: () => Promise<Done>): Once {
    this.#forgetOld(nowMs);
    const known = this.#entries.get(key);
    if (known?.fingerprint === fingerprint) return { is: 'repeat', done: known.done };
    if (known !== undefined) return { is: 'conflict' };
    const bytes = entryBytes + 2 * (key.length + fingerprint.length);
    const entry: Entry = { fingerprint, atMs: nowMs, bytes, done: work() };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    this.#makeRoom();
    entry.done.then(
      ({ text, isLasting }) =>
        isLasting ? this.#grow(key, entry, 2 * text.length) : this.#forget(key, entry),
      () => this.#forget(key, entry),
    );
    return { is: 'first', done: entry.done };
  }

  #grow(key: string, entry: Entry, bytes: number): void {
    if (this.#entries.get(key) !== entry) return;
    entry.bytes += bytes;
    this.#bytes += bytes;
    this.#makeRoom();
  }

  #forget(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  #forgetOld(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      if (nowMs - entry.atMs < this.#rules.keepMs) return;
      this.#forget(key, entry);
    }
  }

  #makeRoom(): void {
    const { maxKeys, maxBytes } = this.#rules;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= maxKeys && this.#bytes <= maxBytes) return;
      this.#forget(key, entry);
    }
  }
}
