import type { Consumer, Delivery } from '@evenkeel/broker';
import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { Outbox } from './outbox.js';
import type { Handover, SessionQueue } from './ports.js';
import { isTaken } from './reclaim.js';

export interface IntakeOptions {
  readonly claims: TicketClaims;
  readonly queue: SessionQueue;
  readonly handover: Handover;
  readonly outbox: Outbox;
  /** A delivery has come: the session is consuming, whatever the broker has answered so far. */
  onDelivering(): void;
  /** Whether deliveries are still written here. */
  isTaking(): boolean;
  /** Whether the session is here to stay: attached, its connection open. */
  isLive(): boolean;
  onGap(reason: GapReason): void;
  /** Another edge has the session. */
  onTaken(): void;
}

/** What comes from a session's queue, through losses of the broker, on its way to the outbox. */
export class Intake {
  readonly #options: IntakeOptions;
  #consumer: Consumer | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Consumes from now on. Deliveries may come before it resolves. */
  async start(): Promise<void> {
    this.#consumer = await this.#options.queue.consume({
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onLost: () => this.#options.outbox.forget(),
      onRestored: (counts) => this.#onRestored(counts),
    });
  }

  /** Nothing comes any more once it has resolved. */
  async stop(): Promise<void> {
    await this.#consumer?.cancel();
  }

  /**
   * Gives back, in order, what is not acknowledged; to be called once it has stopped. Resolves when the queue has it in its
   * places, so that the next edge may look.
   * @returns how many of those (the first) had been written; undefined: go by the broker's flag.
   */
  async giveBack(): Promise<number | undefined> {
    const { requeued, written } = this.#options.outbox.requeueAll();
    if (requeued > 0) await this.#consumer?.barrier();
    return written;
  }

  #onDelivery(delivery: Delivery): void {
    const { outbox, onDelivering, isTaking } = this.#options;
    onDelivering();
    if (isTaking()) outbox.offer(delivery);
    else delivery.requeue();
  }

  #onRestored(found: { consumers: number } | undefined): void {
    if (!found) this.#options.onGap(gapReasons.sessionExpired);
    else if (found.consumers > 0) void this.#yieldIfTaken();
  }

  async #yieldIfTaken(): Promise<void> {
    const { claims, queue, handover, isLive, onTaken } = this.#options;
    const hasLost = await isTaken({
      claims,
      queue,
      handover,
      // Recovery is paced: this edge's own consumer may not be back yet.
      ownConsumers: () => (this.#consumer?.state === 'active' ? 1 : 0),
      isLive,
    });
    if (hasLost) onTaken();
  }
}
