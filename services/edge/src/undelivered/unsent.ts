import type { Delivery } from '@evenkeel/broker';
import type { Owner, Why } from './message.js';
import type { Undelivered } from './undelivered.js';

/** Bodies of such events that an edge has in hand. */
const maxBytes = 16_777_216;

/**
 * Events that an edge does not send, since they are too long for a client or have come too late for it, on their way to
 * `mesh.undelivered`. By the shortest way while there is room: a dead letter would be read by every edge.
 */
export class Unsent {
  readonly #undelivered: Pick<Undelivered, 'publish'>;
  #bytes = 0;

  constructor(undelivered: Pick<Undelivered, 'publish'>) {
    this.#undelivered = undelivered;
  }

  /** Settles it once it is there. One without its body, and one too many, is dead-lettered. */
  take(delivery: Delivery, owner: Owner, why: Why): void {
    const { length } = delivery.body;
    if ((length === 0 && why === 'too-large') || (this.#bytes > 0 && this.#bytes + length > maxBytes))
      return delivery.drop();
    this.#bytes += length;
    this.#undelivered
      .publish(delivery, why, owner)
      .then(
        () => delivery.ack(),
        () => delivery.drop(),
      )
      .finally(() => {
        this.#bytes -= length;
      });
  }
}
