/** What came of an arrival. `foreign`: a number that was never published. */
export type Arrival = 'in-order' | 'repeated' | 'reordered' | 'foreign';

/** Numbers that have not come are kept up to this many; the oldest beyond it counts as lost for good. */
export const maxOpen = 2_000;

interface Open {
  /** Undefined until the broker has confirmed it: whether it was published at all is not known yet. */
  confirmedAtMs: number | undefined;
}

/**
 * One user's events, numbered 1, 2, 3, …, from both ends: what was published, and what reached the application. It knows
 * nothing of the SDK, so that it can judge it. Takes the time as an argument.
 */
export class Numbers {
  /** Numbers that came again. */
  repeated = 0;
  /** Numbers that came, for the first time, after a higher one. */
  reordered = 0;
  #published = 0;
  #highest = 0;
  #lostForGood = 0;
  /** Published and not come, in order. */
  readonly #open = new Map<number, Open>();
  /** Not come, and nobody can say whether they were published; that they come, or not, is no fault. */
  readonly #void = new Set<number>();

  /** Whether a number has been taken that is neither confirmed nor void: the next one has to wait for it. */
  get isUnsettled(): boolean {
    const last = this.#open.get(this.#published);
    return last !== undefined && last.confirmedAtMs === undefined;
  }

  /** The next number to publish. */
  take(): number {
    const number = ++this.#published;
    this.#open.set(number, { confirmedAtMs: undefined });
    this.#bound();
    return number;
  }

  /** The broker has confirmed it, and a queue has it: from now on it must come. */
  confirm(number: number, nowMs: number): void {
    const open = this.#open.get(number);
    if (open !== undefined) open.confirmedAtMs = nowMs;
  }

  /** The broker has not confirmed it, or no queue took it, and the publisher knows that. */
  giveUp(number: number): void {
    if (!this.#open.delete(number)) return;
    this.#void.add(number);
    this.#bound();
  }

  /** A number has reached the application. */
  note(number: number): Arrival {
    if (!Number.isInteger(number) || number < 1 || number > this.#published) return 'foreign';
    if (!this.#open.delete(number) && !this.#void.delete(number)) {
      this.repeated++;
      return 'repeated';
    }
    if (number < this.#highest) {
      this.reordered++;
      return 'reordered';
    }
    this.#highest = number;
    return 'in-order';
  }

  /** Published, confirmed, and not come yet. */
  waiting(): number {
    let waiting = 0;
    for (const { confirmedAtMs } of this.#open.values()) if (confirmedAtMs !== undefined) waiting++;
    return waiting;
  }

  /**
   * Numbers that have not come though a later one has, or though they were confirmed before `overdueMs`. Pass nothing while
   * the client has no connection: then they may still be waiting in its queue.
   */
  lost(overdueMs: number | undefined): number {
    let lost = this.#lostForGood;
    for (const [number, { confirmedAtMs }] of this.#open) {
      const isOverdue = confirmedAtMs !== undefined && overdueMs !== undefined && confirmedAtMs < overdueMs;
      if (number < this.#highest || isOverdue) lost++;
    }
    return lost;
  }

  #bound(): void {
    if (this.#open.size > maxOpen) {
      const [oldest = 0] = this.#open.keys();
      this.#open.delete(oldest);
      this.#lostForGood++;
    }
    if (this.#void.size > maxOpen) {
      const [oldest = 0] = this.#void;
      this.#void.delete(oldest);
    }
  }
}
