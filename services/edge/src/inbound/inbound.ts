import { createHash } from 'node:crypto';
import type { PublishOutcome, PublishProperties } from '@evenkeel/broker';
import {
  exchanges,
  fromUid,
  maxKeyBytes,
  replyExchangeHeader,
  sessionAddress,
  type TraceContext,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { InboundBody } from '../frame/opaque-body.js';
import type { Follower } from '../trace/follower.js';

export interface InboundOptions {
  publisher: {
    publish(
      exchange: string,
      key: string,
      body: Buffer | string,
      properties: PublishProperties,
    ): Promise<PublishOutcome>;
  };
  /** There only while somebody looks. */
  following?: Pick<Follower, 'handedOn'> | undefined;
  /** Of this edge. */
  node: string;
  /** A request that no service has taken after this is dropped. */
  requestTimeoutMs: number;
  now: () => number;
}

type Sender = Pick<TicketClaims, 'uid' | 'sid'>;

/**
 * `message_id` of what a client sends: the same for what it sends again, and no other's. AMQP carries 255 bytes; where it would be
 * longer a digest of `id` stands for it. Source: PROTOCOL.md, "Request ids".
 */
export function inboundMessageId(uid: string, sid: string, id: string): string {
  const plain = `${uid}.${sid}.${id}`;
  if (Buffer.byteLength(plain) <= maxKeyBytes) return plain;
  return `${uid}.${sid}.~${createHash('sha256').update(id).digest('base64url')}`;
}

/** Carries what clients send to application services, on `mesh.inbound`. */
export class Inbound {
  readonly #options: InboundOptions;

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Resolves when the broker has it; `unrouted`: nobody consumes it. `id`: of the client's frame, well-formed. */
  async publish(
    from: Sender,
    id: string,
    topic: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<PublishOutcome> {
    const sent = this.#send(from, id, topic, body, {
      type: 'publish',
      persistent: true,
      headers: { ...trace },
    });
    return await this.#followed('publish', from, topic, trace, sent);
  }

  /** Like `publish`; the reply comes through the session's own queue, so it finds the session wherever it has moved. */
  async request(
    from: Sender,
    id: string,
    method: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<PublishOutcome> {
    const sent = this.#send(from, id, method, body, {
      type: 'request',
      replyTo: sessionAddress(from.uid, from.sid),
      correlationId: id,
      expiration: this.#options.requestTimeoutMs,
      headers: { [replyExchangeHeader]: exchanges.replies, ...trace },
    });
    return await this.#followed('request', from, method, trace, sent);
  }

  #followed(
    kind: 'publish' | 'request',
    from: Sender,
    key: string,
    trace: TraceContext | undefined,
    sent: Promise<PublishOutcome>,
  ): Promise<PublishOutcome> {
    return this.#options.following?.handedOn(kind, from, key, trace, sent) ?? sent;
  }

  async #send(
    { uid, sid }: Sender,
    id: string,
    key: string,
    data: InboundBody,
    { headers, ...properties }: PublishProperties,
  ): Promise<PublishOutcome> {
    const { publisher, node, now } = this.#options;
    const { body, contentType } =
      typeof data === 'string' ? { body: data, contentType: 'application/json' } : data;
    return await publisher.publish(exchanges.inbound, key, body, {
      messageId: inboundMessageId(uid, sid, id),
      timestamp: Math.floor(now() / 1000),
      contentType,
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
