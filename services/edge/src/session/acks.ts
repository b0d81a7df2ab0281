import type { Outbox } from './outbox.js';
import type { SessionQueue } from './ports.js';

export interface AcksOptions {
  outbox: Pick<Outbox, 'seq' | 'isFull' | 'ack'>;
  queue: Pick<SessionQueue, 'check'>;
  /** Events in the queue at which it drops the oldest. */
  maxLength: number;
  /** Whether the queue may be filling up behind a full window, and nothing tells what it drops. */
  isToBeLookedAt(): boolean;
  onOverflow(): void;
}

/**
 * Takes the client's acks. While the window was full the queue may have overflowed. One that an edge made which knows no
 * seals tells nobody, so the first ack then waits for a look at it: once there is room again it cannot be told any more.
 */
export class Acks {
  readonly #options: AcksOptions;
  #isLooking = false;
  /** Of the acks that wait for the look. */
  #seq = 0;

  constructor(options: AcksOptions) {
    this.#options = options;
  }

  /** Everything up to `seq` is handled. False when `seq` was never sent. */
  take(seq: number): boolean {
    const { outbox, isToBeLookedAt } = this.#options;
    if (!this.#isLooking && !(outbox.isFull && isToBeLookedAt())) return outbox.ack(seq);
    if (seq > outbox.seq) return false;
    this.#seq = Math.max(this.#seq, seq);
    if (!this.#isLooking) void this.#look();
    return true;
  }

  async #look(): Promise<void> {
    const { outbox, queue, maxLength, onOverflow } = this.#options;
    this.#isLooking = true;
    try {
      const counts = await queue.check();
      if (counts && counts.messages >= maxLength) onOverflow();
    } catch {
      // Without the broker nothing is delivered either; the next full window is looked at again.
    }
    this.#isLooking = false;
    outbox.ack(this.#seq);
  }
}
