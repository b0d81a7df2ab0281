import type { Delivery } from '@evenkeel/broker';
import { backoffMs, sleep } from '@evenkeel/pace';
import { lastMark } from '@evenkeel/protocol';
import type { NextQueue } from './generation.js';
import { sealOf } from './seal-state.js';

export interface QueueChangeOptions {
  readonly next: NextQueue;
  /** Whether everything that has come is settled. */
  isSettled(): boolean;
  /** Whether its client can still acknowledge anything. */
  isOpen(): boolean;
  /** The queue before is not consumed any more. */
  letGo(): Promise<unknown>;
  /** The next one is. */
  goOn(): Promise<void>;
}

/** How long the queue before may still get what RabbitMQ was handing to it at the cut, on whichever node, ms. */
const passingMs = 300;
/** How often it is looked whether the client has acknowledged everything, ms. */
const lookMs = 10;
/** Whoever wants the session waits so long for a change that is all but done, ms. */
const leavingMs = 1_500;
/** Tries of what the broker does not answer, and the pause before each but the first, ms. */
const tries = 4;
const pause = { minMs: 200, maxMs: 1_000 };

/**
 * What came of it. `as-before`: nothing has changed. `given-up`: the next one has the session, and what the last one had is lost. `lost`: so
 * does whoever consumes again find it.
 */
export type ChangeOutcome = 'done' | 'as-before' | 'given-up' | 'lost';

/** What came of it, and how to delete the queue before, some time later: undefined where there is nothing to delete, or others do. */
export interface QueueChanged {
  readonly outcome: ChangeOutcome;
  retire?(): Promise<void>;
}

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
    if (!this.#hasCut || !this.#options.isOpen()) this.#isWanted = true;
    const outcome = await this.#outcome;
    clearTimeout(timer);
    return outcome;
  }

  async #run(): Promise<ChangeOutcome> {
    const { next, letGo, goOn } = this.#options;
    try {
      await next.prepare(() => this.#isOver);
    } catch {
      return await this.#undo();
    }
    if (this.#isOver) return await this.#undo();
    this.#hasCut = true;
    // Whatever becomes of it, whoever has the session next is to look for the next queue.
    next.take();
    try {
      await this.#insist(() => next.cut());
      await sleep(passingMs);
      if (!(await this.#insist(() => next.end()))) return 'given-up';
      while (!this.#isOver && !this.#isRead) await sleep(lookMs);
      if (this.#isLost) return 'lost';
      const isRead = this.#isRead;
      await letGo();
      if (isRead) await goOn();
      await this.#insist(() => next.finish());
      return isRead ? 'done' : 'given-up';
    } catch {
      return this.#isLost ? 'lost' : 'given-up';
    }
  }

  get #isOver(): boolean {
    return this.#isWanted || this.#isLost;
  }

  get #isRead(): boolean {
    return this.#hasEnded && this.#options.isSettled();
  }

  async #undo(): Promise<ChangeOutcome> {
    const { next } = this.#options;
    try {
      if (!this.#isLost) {
        await this.#insist(() => next.undo());
        return 'as-before';
      }
    } catch {
      // Whoever consumes again looks which of them is there.
    }
    next.giveUp();
    return 'lost';
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

/** The changes of one session's queue, one after the other. */
export class QueueChanges {
  #change: QueueChange | undefined;
  /** What its queue had has gone with it. */
  #hasLost = false;
  /** The broker was lost meanwhile, and the queue is not consumed again yet. */
  #isAway = false;

  /** Nothing else is to be done with the session now. */
  get isOn(): boolean {
    return this.#change !== undefined || this.#isAway;
  }

  /** Events were lost with its queue. */
  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Whoever has the session next is to look for its queue. */
  get isUnsure(): boolean {
    return this.#hasLost || this.#isAway;
  }

  async run(options: QueueChangeOptions): Promise<ChangeOutcome> {
    this.#change = new QueueChange(options);
    const outcome = await this.#change.outcome;
    this.#change = undefined;
    this.#hasLost = outcome === 'given-up';
    this.#isAway = outcome === 'lost';
    return outcome;
  }

  /** True: it was the last message of the queue before. */
  takes(delivery: Delivery): boolean {
    return this.#change?.takes(delivery) ?? false;
  }

  /** The channel has gone. */
  lost(): void {
    this.#change?.lost();
  }

  /** It is consumed again. */
  restored(): void {
    this.#isAway = false;
  }

  /** Somebody else wants the session, or it ends: resolves when none is under way. */
  async leave(): Promise<void> {
    await this.#change?.leave();
  }
}
