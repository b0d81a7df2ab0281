/** The queue takes at most so many messages a second: far more than RabbitMQ can put into one. */
const maxPerSecond = 250_000;

/** How the topic queue is watched. */
export interface OverflowOptions {
  /** Messages waiting in the queue; undefined where that cannot be had. Never rejects. */
  length(): Promise<number | undefined>;
  /** The queue drops its oldest beyond this many. */
  maxLength: number;
  /** Messages that the broker may have sent and that have not come yet. */
  prefetch: number;
  /** Messages may have been dropped. */
  onOverflow(): void;
}

/**
 * Notices that the topic queue may have dropped messages. The broker says nothing when it does; what can be had is the
 * queue's length. Between two looks the queue was full at most if, at the second, its length and what has come
 * since the first make up a full queue: after the last drop it has only lost what was delivered. So no drop goes
 * unnoticed; a gap without a drop is told when a queue was more than half full.
 */
export class Overflow {
  readonly #options: OverflowOptions;
  /** Messages in the queue at the last look. */
  waiting = 0;
  #delivered = 0;
  /** `#delivered` when the last look that was answered was asked for. */
  #deliveredAtLook = 0;
  #looking: Promise<boolean> | undefined;
  #next: Promise<boolean> | undefined;

  constructor(options: OverflowOptions) {
    this.#options = options;
  }

  /** Messages that have come, in all. */
  get come(): number {
    return this.#delivered;
  }

  /** A message has come from the queue. */
  delivered(): void {
    this.#delivered += 1;
    if (this.#delivered - this.#deliveredAtLook > this.#options.maxLength / 2 && !this.#looking)
      void this.look();
  }

  /** A new queue, empty. */
  reset(): void {
    this.#deliveredAtLook = this.#delivered;
  }

  /**
   * A marker has come that took `tookMs` through the queue. Makes sure that a drop of anything older than it has been told;
   * false when that cannot be had. At the time of such a drop the queue was full: what was older than the marker has
   * come since, and what was younger came into it while the marker was under way. Mostly that cannot make up a full queue.
   */
  settle(tookMs: number): true | Promise<boolean> {
    const come = this.#delivered - this.#deliveredAtLook;
    return come + (tookMs / 1000) * maxPerSecond < this.#options.maxLength || this.look();
  }

  /** Looks once more from now on; false when there was no answer. */
  look(): Promise<boolean> {
    if (!this.#looking) {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
      });
      return this.#looking;
    }
    // The one under way may have been answered already.
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      return this.look();
    });
    return this.#next;
  }

  async #look(): Promise<boolean> {
    const { length, maxLength, prefetch, onOverflow } = this.#options;
    const deliveredBefore = this.#delivered;
    const waiting = await length();
    if (waiting === undefined) return false;
    this.waiting = waiting;
    const come = this.#delivered - this.#deliveredAtLook;
    this.#deliveredAtLook = deliveredBefore;
    if (waiting + come + prefetch >= maxLength) onOverflow();
    return true;
  }
}
