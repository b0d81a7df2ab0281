import type { PublishOutcome, PublishProperties } from '@evenkeel/broker';
import { cancelTypes, exchanges, fromUid, takenKey } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { inboundMessageId } from './inbound.js';

export interface CancelsOptions {
  /** With a channel of its own: RabbitMQ closes it while the balancer, of an earlier version, has not declared the exchange. */
  publisher: {
    publish(
      exchange: string,
      key: string,
      body: string,
      properties: PublishProperties,
    ): Promise<PublishOutcome>;
  };
  /** Ms since the epoch. */
  now(): number;
}

type Sender = Pick<TicketClaims, 'uid' | 'sid'>;

/** Tells services, on `mesh.cancel`, that nobody wants their answer any more, and how far it has got. What does not arrive is not repeated. */
export class Cancels {
  readonly #options: CancelsOptions;

  constructor(options: CancelsOptions) {
    this.#options = options;
  }

  /** The request `id` of this client is to be answered no further. */
  cancel({ uid, sid }: Sender, id: string): void {
    const messageId = inboundMessageId(uid, sid, id);
    this.#publish(messageId, { id: messageId }, cancelTypes.cancelled);
  }

  /** The client has taken the parts up to `n`; `word`: of who has sent them. */
  taken({ uid, sid }: Sender, id: string, n: number, word: string): void {
    this.#publish(takenKey(word), { id: inboundMessageId(uid, sid, id), n }, cancelTypes.taken);
  }

  /** The client has acknowledged the event `id`; `word`: of who has published it. */
  received({ uid, sid }: Sender, id: string, word: string): void {
    const receipt = { id, user: fromUid(uid), session: sid, at: this.#options.now() };
    this.#publish(takenKey(word), receipt, cancelTypes.receipt);
  }

  #publish(key: string, body: object, type: string): void {
    const { publisher } = this.#options;
    publisher
      .publish(exchanges.cancel, key, JSON.stringify(body), { type, contentType: 'application/json' })
      .catch(() => {});
  }
}
