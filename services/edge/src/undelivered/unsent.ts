import type { Delivery } from '@evenkeel/broker';
import { Fifo, sleep } from '@evenkeel/pace';
import type { Owner, Why } from './message.js';
import type { Undelivered } from './undelivered.js';

/** Bodies of such events that an edge has in hand. */
const maxBytes = 16_777_216;
/** What could not be published is tried again after this, ms. */
const againMs = 1_000;

interface Waiting {
  readonly delivery: Delivery;
  readonly owner: Owner;
  readonly why: Why;
}

/**
 * Events that an edge does not send, since they are too long for a client or have come too late for it, on their way to
 * `mesh.undelivered`. By the shortest way while there is room: a dead letter would be read by every edge. Of a dead letter RabbitMQ says no
 * more than that it was rejected, which is read as too large: what has come too late waits instead, as part of its session's window.
 */
export class Unsent {
  readonly #undelivered: Pick<Undelivered, 'publish'>;
  readonly #againMs: number;
  readonly #waiting = new Fifo<Waiting>();
  #bytes = 0;

  constructor(undelivered: Pick<Undelivered, 'publish'>, retryMs = againMs) {
    this.#undelivered = undelivered;
    this.#againMs = retryMs;
  }

  /** Settles it once it is there. One that is too large, without its body or one too many, is dead-lettered. */
  take(delivery: Delivery, owner: Owner, why: Why): void {
    if (why !== 'too-large') {
      this.#waiting.push({ delivery, owner, why });
      return this.#next();
    }
    const isWithBody = delivery.body.length > 0;
    if (isWithBody && this.#hasRoom(delivery)) void this.#publish({ delivery, owner, why });
    else delivery.drop();
  }

  #hasRoom({ body }: Delivery): boolean {
    return this.#bytes === 0 || this.#bytes + body.length <= maxBytes;
  }

  async #publish({ delivery, owner, why }: Waiting): Promise<void> {
    const { length } = delivery.body;
    this.#bytes += length;
    while (!delivery.isVoid) {
      try {
        await this.#undelivered.publish(delivery, why, owner);
        delivery.ack();
        break;
      } catch {
        if (why === 'too-large') {
          delivery.drop();
          break;
        }
        await sleep(this.#againMs);
      }
    }
    this.#bytes -= length;
    this.#next();
  }

  /** In order, as far as there is room. What has gone back to its queue with its channel comes again from there. */
  #next(): void {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      const { isVoid } = next.delivery;
      if (!isVoid && !this.#hasRoom(next.delivery)) return;
      this.#waiting.shift();
      if (!isVoid) void this.#publish(next);
    }
  }
}
