import { createHash } from 'node:crypto';
import type { PublishOutcome, PublishProperties } from '@evenkeel/broker';
import {
  atHeader,
  exchanges,
  fromUid,
  maxKeyBytes,
  replyExchangeHeader,
  sessionAddress,
  sessionHeader,
  type TraceContext,
  topicKey,
  uidHeader,
  userHeader,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { type InboundBody, typed } from '../frame/opaque-body.js';
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
  /** As whom it logs in. */
  user: string | undefined;
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

const toServices = (key: string) => ({ exchange: exchanges.inbound, key });

/** Carries what clients send: to application services, on `mesh.inbound`, and to each other, on `mesh.events`. */
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
    const sent = this.#send(from, id, toServices(topic), body, {
      type: 'publish',
      persistent: true,
      mandatory: true,
      headers: { ...trace },
    });
    return await this.#followed('publish', from, topic, trace, sent);
  }

  /** Resolves when the broker has it, whoever has subscribed. Other edges take this one's word for whom it is from. */
  async relay(
    from: Sender,
    id: string,
    topic: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<void> {
    const { user, now } = this.#options;
    const to = { exchange: exchanges.events, key: topicKey(topic) };
    const sent = this.#send(from, id, to, body, {
      persistent: true,
      userId: user,
      headers: { [atHeader]: now(), ...trace },
    });
    await this.#followed('publish', from, topic, trace, sent);
  }

  /** Like `publish`; the reply comes through the session's own queue, so it finds the session wherever it has moved. */
  async request(
    from: Sender,
    id: string,
    method: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<PublishOutcome> {
    const sent = this.#send(from, id, toServices(method), body, {
      type: 'request',
      mandatory: true,
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
    { exchange, key }: { readonly exchange: string; readonly key: string },
    data: InboundBody,
    { headers, ...properties }: PublishProperties,
  ): Promise<PublishOutcome> {
    const { publisher, node, now } = this.#options;
    const { body, contentType } = typed(data);
    return await publisher.publish(exchange, key, body, {
      messageId: inboundMessageId(uid, sid, id),
      timestamp: Math.floor(now() / 1000),
      contentType,
      headers: {
        [userHeader]: fromUid(uid),
        [uidHeader]: uid,
        [sessionHeader]: sid,
        'evenkeel-node': node,
        ...headers,
      },
      ...properties,
    });
  }
}
