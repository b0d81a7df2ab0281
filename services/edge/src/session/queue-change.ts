import type { Delivery } from '@evenkeel/broker';
import { backoffMs, sleep } from '@evenkeel/pace';
import { lastMark } from '@evenkeel/protocol';
import type { NextQueue } from './generation.js';
import { sealOf } from './seal.js';

export interface QueueChangeOptions {
  readonly next: NextQueue;
  /** Whether everything that has come is settled. */
  isSettled(): boolean;
  /** Whether its client can still acknowledge anything. */
  isLive(): boolean;
  /** The queue before is not consumed any more. */
  letGo(): Promise<unknown>;
  /** The next one is. */
  goOn(): Promise<void>;
  /** Something came to the queue before and to nobody. */
  onLate(): void;
}

/**
 * How long the queue before may still get what RabbitMQ was handing to it at the cut, on whichever node, ms. What comes later is told
 * as a gap.
 */
const passingMs = 300;
/** How often it is looked whether the client has acknowledged everything, ms. */
const lookMs = 10;
/** Whoever wants the session waits so long for a change that is all but done, ms. */
const leavingMs = 1_500;
/** Tries of what the broker does not answer, and the pause before each but the first, ms. */
const tries = 4;
const pause = { minMs: 200, maxMs: 1_000 };

/** What came of it. `as-before`: nothing has changed. `given-up`: the next one has the session, and what the last one had is lost. */
export type ChangeOutcome = 'done' | 'as-before' | 'given-up' | 'lost';

/**
 * A session goes on with its next queue: what comes is cut between the two, the queue before is read to its last message and acknowledged,
 * and then the next one is consumed. Its client notices nothing, but that events wait for a moment.
 */
export class QueueChange {
  readonly #options: QueueChangeOptions;
  readonly #outcome: Promise<ChangeOutcome>;
  #hasCut = false;
  #hasEnded = false;
  #isWanted = false;
  #isLost = false;

  constructor(options: QueueChangeOptions) {
    this.#options = options;
    this.#outcome = this.#run();
  }

  /** Never rejects. */
  get outcome(): Promise<ChangeOutcome> {
    return this.#outcome;
  }

  /** True: it was the last message of the queue before. */
  takes(delivery: Delivery): boolean {
    if (sealOf(delivery) !== lastMark) return false;
    delivery.ack();
    this.#hasEnded = true;
    return true;
  }

  /** The channel has gone. Whoever consumes again finds the next queue, and tells a gap. */
  lost(): void {
    this.#isLost = true;
  }

  /** Somebody else wants the session, or it ends. */
  async leave(): Promise<ChangeOutcome> {
    const timer = setTimeout(() => {
      this.#isWanted = true;
    }, leavingMs);
    if (!this.#hasCut || !this.#options.isLive()) this.#isWanted = true;
    const outcome = await this.#outcome;
    clearTimeout(timer);
    return outcome;
  }

  async #run(): Promise<ChangeOutcome> {
    const { next } = this.#options;
    try {
      await next.prepare();
    } catch {
      return await this.#undo();
    }
    if (this.#isWanted || this.#isLost) return await this.#undo();
    this.#hasCut = true;
    try {
      await this.#insist(() => next.cut());
      await sleep(passingMs);
      if (!(await this.#insist(() => next.end()))) return 'given-up';
      while (!this.#isWanted && !this.#isLost && !(this.#hasEnded && this.#options.isSettled()))
        await sleep(lookMs);
      if (this.#isLost) return 'lost';
      const isRead = this.#hasEnded && this.#options.isSettled();
      await this.#options.letGo();
      next.take();
      if (isRead) await this.#options.goOn();
      const wasEmpty = await this.#insist(() => next.finish());
      if (!isRead) return 'given-up';
      if (!wasEmpty) this.#options.onLate();
      return 'done';
    } catch {
      return this.#isLost ? 'lost' : 'given-up';
    }
  }

  async #undo(): Promise<ChangeOutcome> {
    if (this.#isLost) return 'lost';
    const { next } = this.#options;
    return await this.#insist(() => next.undo()).then(
      () => 'as-before',
      () => 'lost',
    );
  }

  async #insist<T>(what: () => Promise<T>): Promise<T> {
    for (let n = 1; ; n += 1) {
      try {
        return await what();
      } catch (error) {
        if (n === tries || this.#isLost) throw error;
      }
      await sleep(backoffMs(n, pause, Math.random));
    }
  }
}
