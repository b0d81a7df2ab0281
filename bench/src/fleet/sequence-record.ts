/** What became of a numbered sequence that was sent to one application. */
export interface SequenceOutcome {
  /** Numbers that did not come, and of which nobody told. */
  readonly lost: readonly number[];
  /** Numbers that did not come where the application had been told of a gap. */
  readonly covered: number;
}

/**
 * What one application got of a numbered sequence (1, 2, 3, …): one bit a number, so that hours fit in memory. It
 * knows nothing of the SDK: it sees only what reached the application.
 */
export class SequenceRecord {
  received = 0;
  /** Numbers that came again. */
  repeated = 0;
  /** Numbers that came, for the first time, after a higher one. */
  reordered = 0;
  #highest = 0;
  #seen = new Uint8Array(8);
  /** Told of a gap since the highest number came. */
  #isInDoubt = false;
  /** Numbers that a gap may have swallowed: pairs of the number before and the number after. */
  readonly #gaps: number[] = [];

  /** Notes an arrival. */
  note(sequence: number): 'in-order' | 'repeated' | 'reordered' {
    if (this.has(sequence)) {
      this.repeated++;
      return 'repeated';
    }
    this.#set(sequence);
    this.received++;
    if (sequence < this.#highest) {
      this.reordered++;
      return 'reordered';
    }
    if (this.#isInDoubt) {
      if (sequence > this.#highest + 1) this.#gaps.push(this.#highest, sequence);
      this.#isInDoubt = false;
    }
    this.#highest = sequence;
    return 'in-order';
  }

  /** The application was told: something may be missing before the next one. */
  gap(): void {
    this.#isInDoubt = true;
  }

  has(sequence: number): boolean {
    return ((this.#seen[sequence >> 3] ?? 0) & (1 << (sequence & 7))) !== 0;
  }

  /** Of 1 … `sent`. */
  outcome(sent: number): SequenceOutcome {
    if (this.received >= sent) return { lost: [], covered: 0 };
    const lost: number[] = [];
    let covered = 0;
    for (let sequence = 1; sequence <= sent; sequence++) {
      if (this.has(sequence)) continue;
      if (this.#isCovered(sequence)) covered++;
      else lost.push(sequence);
    }
    return { lost, covered };
  }

  #isCovered(sequence: number): boolean {
    if (this.#isInDoubt && sequence > this.#highest) return true;
    for (let at = 0; at < this.#gaps.length; at += 2) {
      if (sequence > (this.#gaps[at] ?? 0) && sequence < (this.#gaps[at + 1] ?? 0)) return true;
    }
    return false;
  }

  #set(sequence: number): void {
    const index = sequence >> 3;
    if (index >= this.#seen.length) {
      const larger = new Uint8Array(Math.max(index + 1, this.#seen.length * 2));
      larger.set(this.#seen);
      this.#seen = larger;
    }
    this.#seen[index] = (this.#seen[index] ?? 0) | (1 << (sequence & 7));
  }
}
