import type { Arrival } from './numbers.js';

/** How many of the last numbers are remembered, to tell a repeat from a late one. */
const remembered = 64;

/**
 * One client's messages of a numbered topic. A topic keeps nothing for who is away, but the client is told: numbers may be
 * missing after a `gap`, and only then.
 */
export class Pulse {
  repeated = 0;
  reordered = 0;
  /** Numbers that are missing, and no `gap` was told before the next one came. */
  lost = 0;
  #run: string | undefined;
  #last = 0;
  /** Nothing was promised before the first message. */
  #isGapTold = true;
  #recent: number[] = [];

  /** The client was told that messages may be missing before the next one. */
  gap(): void {
    this.#isGapTold = true;
  }

  /** A message has come. Numbers of another `run` of the publisher begin anew. */
  note(run: string, number: number): Arrival {
    if (run !== this.#run) {
      this.#run = run;
      this.#recent = [];
      this.#last = 0;
    }
    if (this.#recent.includes(number)) {
      this.repeated++;
      return 'repeated';
    }
    this.#recent.push(number);
    if (this.#recent.length > remembered) this.#recent.shift();
    if (number < this.#last) {
      this.reordered++;
      return 'reordered';
    }
    if (!this.#isGapTold) this.lost += number - this.#last - 1;
    this.#isGapTold = false;
    this.#last = number;
    return 'in-order';
  }
}
