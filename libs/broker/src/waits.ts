import type { AnswerClock } from './answer-clock.js';

type Clock = Pick<AnswerClock, 'needed' | 'ticks' | 'wanted'>;

/** Who answers for what the broker has had of what was settled. */
export interface WaitsClocks {
  /** For all that is consumed on a channel. It passes on to the queue what it gets, and does not wait for it. */
  readonly channel: Clock;
  /** The queue itself. Made when it is wanted first. */
  queue(): Clock;
}

/**
 * The broker waits as well once it has 200 for a channel that are not written to its connection, and is told of what is written by the
 * fifty (rabbit_queue_consumers' UNSENT_MESSAGE_LIMIT, rabbit_amqqueue's MORE_CONSUMER_CREDIT_AFTER).
 */
const unsentLimit = 150;

/**
 * Before which deliveries of a consumer the broker may have had to wait. It sends one when there are fewer unsettled than the prefetch, so
 * before the nth it waited only for settlement number n - prefetch; and not if it has answered behind that. How many this
 * process has in hand does not show it: what the broker has sent may still be on its way.
 */
export class Waits {
  readonly #prefetch: number;
  /** Of what it has sent it waits for the settlement that is so many before the next. */
  readonly #most: number;
  #clocks: WaitsClocks | undefined;
  #delivered = 0;
  #settled = 0;
  readonly #byChannel: Shown;
  #byQueue: Shown | undefined;

  constructor(prefetch: number, clocks: WaitsClocks) {
    this.#prefetch = prefetch;
    this.#most = Math.min(prefetch, unsentLimit);
    this.#clocks = clocks;
    this.#byChannel = new Shown(clocks.channel);
  }

  /** So many more may be on their way: 0, the broker has sent as many as it may, and they have come. */
  get room(): number {
    return this.#prefetch - this.#delivered + this.#settled;
  }

  /** A delivery has come. @returns whether the broker may have waited before it sent it */
  delivered(): boolean {
    this.#delivered += 1;
    return this.#delivered - this.#most > this.#known;
  }

  /** A delivery is settled. */
  settled(): void {
    const unknown = this.#delivered - this.#known;
    this.#settled += 1;
    if (this.#clocks === undefined) return;
    // Long before it matters, and seldom; the queue only where the channel would be too slow.
    if (unknown > this.#most / 4) this.#byChannel.clock.wanted();
    if (unknown <= this.#most * 0.75) return;
    this.#byQueue ??= new Shown(this.#clocks.queue());
    this.#byQueue.clock.wanted();
  }

  /** Nothing more comes: what was delivered, and may be kept for long, is not to keep its consumer. */
  end(): void {
    this.#clocks = undefined;
    this.#byQueue = undefined;
  }

  /** So many settlements the broker has had. To be asked before they are counted on. */
  get #known(): number {
    const byChannel = this.#byChannel.upTo(this.#settled);
    return Math.max(byChannel, this.#byQueue?.upTo(this.#settled) ?? 0);
  }
}

/** How many settlements the answers that a clock counts have shown the broker to have had. */
class Shown {
  readonly clock: Clock;
  #at: number;
  /** Settlements before the present tick, before the last, and so on: the last of these the broker has had. */
  readonly #before: number[];

  constructor(clock: Clock) {
    this.clock = clock;
    this.#at = clock.ticks;
    this.#before = new Array<number>(clock.needed).fill(0);
  }

  upTo(settled: number): number {
    const { ticks } = this.clock;
    const passed = Math.min(ticks - this.#at, this.#before.length);
    for (let n = 0; n < passed; n += 1) {
      this.#before.pop();
      this.#before.unshift(settled);
    }
    this.#at = ticks;
    return this.#before.at(-1) ?? 0;
  }
}
