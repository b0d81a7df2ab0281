/** The queue takes at most so many messages and bytes a second: far more than RabbitMQ can put into one. */
const most = { perSecond: 250_000, bytesPerSecond: 1_000_000_000 };
/** RabbitMQ takes no longer message, unless it is told to. */
const longestBytes = 134_217_728;

/** How the topic queue is watched. */
export interface OverflowOptions {
  /** Messages waiting in the queue; undefined where that cannot be had. Never rejects. */
  length(): Promise<number | undefined>;
  /** The queue drops its oldest beyond this many. */
  maxLength: number;
  /** And beyond so many bytes; undefined: however many. */
  maxBytes?: number;
  /** Whether it has dropped anything since the last answer; undefined where that cannot be had. Never rejects. */
  hasDropped?(): Promise<boolean | undefined>;
  /** Messages that the broker may have sent and that have not come yet. */
  prefetch: number;
  /** Messages may have been dropped. */
  onOverflow(): void;
}

/**
 * Notices that the topic queue may have dropped messages. Where that was for their bytes, what it has dropped shows it. Where it was for
 * their number its length does so as well, by itself: between two looks the queue was full at most if, at the second, its length and what
 * has come since the first make up a full queue: after the last drop it has only lost what was delivered. So no drop goes unnoticed; a gap
 * without a drop is told when a queue was more than half full.
 */
export class Overflow {
  readonly #options: OverflowOptions;
  /** Messages in the queue at the last look. */
  waiting = 0;
  #delivered = 0;
  #bytes = 0;
  /** `#delivered` and `#bytes` when the last look that was answered was asked for. */
  #deliveredAtLook = 0;
  #bytesAtLook = 0;
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
  delivered(bytes = 0): void {
    const { maxLength, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    this.#delivered += 1;
    this.#bytes += bytes;
    const isMuch =
      this.#delivered - this.#deliveredAtLook > maxLength / 2 ||
      this.#bytes - this.#bytesAtLook > maxBytes / 4;
    if (isMuch && !this.#looking) void this.look();
  }

  /** A new queue, empty. */
  reset(): void {
    this.#deliveredAtLook = this.#delivered;
    this.#bytesAtLook = this.#bytes;
  }

  /**
   * A marker has come that took `tookMs` through the queue. Makes sure that a drop of anything older than it has been told;
   * false when that cannot be had. At the time of such a drop the queue was full: what was older than the marker has
   * come since, and what was younger came into it while the marker was under way. Mostly that cannot make up a full queue.
   */
  settle(tookMs: number): true | Promise<boolean> {
    const { maxLength, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const come = this.#delivered - this.#deliveredAtLook + (tookMs / 1000) * most.perSecond;
    const bytes = this.#bytes - this.#bytesAtLook + (tookMs / 1000) * most.bytesPerSecond;
    return (come < maxLength && bytes + longestBytes < maxBytes) || this.look();
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
    const { length, hasDropped, maxLength, prefetch, onOverflow } = this.#options;
    const [deliveredBefore, bytesBefore] = [this.#delivered, this.#bytes];
    const [waiting, dropped] = await Promise.all([length(), hasDropped?.() ?? false]);
    let isFull = false;
    if (waiting !== undefined) {
      this.waiting = waiting;
      const come = this.#delivered - this.#deliveredAtLook;
      this.#deliveredAtLook = deliveredBefore;
      isFull = waiting + come + prefetch >= maxLength;
    }
    if (dropped !== undefined) this.#bytesAtLook = bytesBefore;
    if (isFull || dropped) onOverflow();
    return waiting !== undefined && dropped !== undefined;
  }
}
