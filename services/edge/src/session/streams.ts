/** Answers that were refused are remembered, so that what is still under way of them goes nowhere. */
const maxRefused = 256;

/** The answers in parts of one session that have begun here and not ended, and those that are not to go on. */
export class Streams {
  readonly #limit: number;
  readonly #open = new Set<string>();
  /** Oldest first. */
  readonly #refused = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get open(): string[] {
    return [...this.#open];
  }

  get size(): number {
    return this.#open.size;
  }

  /** Whether the answer to `re` has begun and not ended. */
  has(re: string): boolean {
    return this.#open.has(re);
  }

  /** Another edge had them; there they were within the limit. */
  adopt(all: readonly string[]): void {
    for (const re of all) this.#open.add(re);
  }

  /** A part is here: it goes on, or begins, or would be one answer too many, or nobody wants it. */
  take(re: string): 'goes' | 'begins' | 'one-too-many' | 'refused' {
    if (this.#refused.has(re)) return 'refused';
    if (this.#open.has(re)) return 'goes';
    if (this.#open.size >= this.#limit) return 'one-too-many';
    this.#open.add(re);
    return 'begins';
  }

  /** Its last message is here. False: nobody wants it. */
  end(re: string): boolean {
    this.#open.delete(re);
    return !this.#refused.delete(re);
  }

  /** The client has been told that it ends here. */
  refuse(re: string): void {
    this.#open.delete(re);
    this.#refused.add(re);
    const [oldest] = this.#refused;
    if (this.#refused.size > maxRefused && oldest !== undefined) this.#refused.delete(oldest);
  }
}
