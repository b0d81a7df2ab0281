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
    this.#highest = sequence;
    return 'in-order';
  }

  has(sequence: number): boolean {
    return ((this.#seen[sequence >> 3] ?? 0) & (1 << (sequence & 7))) !== 0;
  }

  /** Which of 1 … `sent` have not come, in order. */
  missing(sent: number): number[] {
    const missing: number[] = [];
    for (let sequence = 1; sequence <= sent; sequence++) if (!this.has(sequence)) missing.push(sequence);
    return missing;
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
