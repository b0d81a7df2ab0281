import type { PublishOutcome, PublishProperties } from '@evenkeel/broker';
import { exchanges, fromUid, replyExchangeHeader, sessionAddress } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';

export interface InboundOptions {
  publisher: {
    publish(
      exchange: string,
      key: string,
      body: string,
      properties: PublishProperties,
    ): Promise<PublishOutcome>;
  };
  /** Of this edge. */
  node: string;
  /** A request that no service has taken after this is dropped. */
  requestTimeoutMs: number;
  now: () => number;
}

type Sender = Pick<TicketClaims, 'uid' | 'sid'>;

/** Carries what clients send to application services, on `mesh.inbound`. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Resolves when the broker has it; `unrouted`: nobody consumes it. `id`: of the client's frame. */
  async publish(from: Sender, id: string, topic: string, data: unknown): Promise<PublishOutcome> {
    return await this.#send(from, id, topic, data, { type: 'publish' });
  }

  /** Like `publish`; the reply comes through the session's own queue, so it finds the session wherever it has moved. */
  async request(from: Sender, id: string, method: string, data: unknown): Promise<PublishOutcome> {
    return await this.#send(from, id, method, data, {
      type: 'request',
      replyTo: sessionAddress(from.uid, from.sid),
      correlationId: id,
      expiration: this.#options.requestTimeoutMs,
      headers: { [replyExchangeHeader]: exchanges.replies },
    });
  }

  async #send(
    { uid, sid }: Sender,
    id: string,
    key: string,
    data: unknown,
    { headers, ...properties }: PublishProperties,
  ): Promise<PublishOutcome> {
    const { publisher, node, now } = this.#options;
    return await publisher.publish(exchanges.inbound, key, JSON.stringify(data ?? null), {
      messageId: `${uid}.${sid}.${id}`,
      timestamp: Math.floor(now() / 1000),
      contentType: 'application/json',
      mandatory: true,
      headers: {
        'evenkeel-user': fromUid(uid),
        'evenkeel-uid': uid,
        'evenkeel-session': sid,
        'evenkeel-node': node,
        ...headers,
      },
      ...properties,
    });
  }
}
