/** How long a session counts as kept here by the front before it is tried again, ms. */
const pinnedForMs = 600_000;

/** Whether the front keeps a session on this edge, so that asking its client to move is in vain. */
export class Pin {
  readonly #now: () => number;
  #sinceMs: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  get isHeld(): boolean {
    return this.#sinceMs !== undefined && this.#now() - this.#sinceMs < pinnedForMs;
  }

  mark(): void {
    this.#sinceMs = this.#now();
  }

  /** It may be tried again. */
  forget(): void {
    this.#sinceMs = undefined;
  }
}
