import type { Arrival } from './numbers.js';

/** How many of the last numbers are remembered, to tell a repeat from a late one. */
const remembered = 64;

/**
 * One client's messages of a numbered topic. A topic keeps nothing for who is away, but the client is told: while it is
 * connected, numbers may be missing after a `gap`, and only then.
 */
export class Pulse {
  repeated = 0;
  reordered = 0;
  /** Numbers that are missing, and no `gap` was told before the next one came. */
  lost = 0;
  #run: string | undefined;
  /** The last one that came while it was connected, and the highest that came at all. */
  #last = 0;
  #highest = 0;
  /** Nothing was promised before the first message. */
  #isGapTold = true;
  #recent: number[] = [];

  /** The client was told that messages may be missing before the next one. */
  gap(): void {
    this.#isGapTold = true;
  }

  /**
   * A message has come. Numbers of another `run` of the publisher begin anew. One that comes before the client says that it
   * is connected counts as come, but promises nothing: that attempt may still fail.
   */
  note(run: string, number: number, isConnected = true): Arrival {
    if (run !== this.#run) {
      this.#run = run;
      this.#recent = [];
      this.#last = 0;
      this.#highest = 0;
    }
    if (this.#recent.includes(number)) {
      this.repeated++;
      return 'repeated';
    }
    const arrival = number < this.#highest ? 'reordered' : 'in-order';
    if (arrival === 'reordered') this.reordered++;
    else if (isConnected) this.#advance(number);
    this.#highest = Math.max(this.#highest, number);
    this.#recent.push(number);
    if (this.#recent.length > remembered) this.#recent.shift();
    return arrival;
  }

  #advance(number: number): void {
    const early = this.#recent.filter((each) => each > this.#last).length;
    if (!this.#isGapTold) this.lost += number - this.#last - 1 - early;
    this.#isGapTold = false;
    this.#last = number;
  }
}
