import type { Delivery, PublishOutcome, PublishProperties } from '@evenkeel/broker';
import { isSentTo } from '@evenkeel/mesh';
import {
  answerAddress,
  askErrors,
  askerOf,
  askHeader,
  askKey,
  errorHeader,
  exchanges,
  fromUid,
  methodHeader,
  sessionHeader,
  uidHeader,
  untilHeader,
  userHeader,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { Commanders } from '../control/commands.js';
import { type InboundBody, typed } from '../frame/opaque-body.js';

/** Hosts' clocks differ by less. */
const clockSlackMs = 10_000;
/** An answer that its asker has not taken after this is of no use, ms. */
const expireMs = 30_000;

export interface AskingOptions {
  readonly publisher: {
    publish(
      exchange: string,
      key: string,
      body: Buffer | string,
      properties: PublishProperties,
    ): Promise<PublishOutcome>;
  };
  /** As whom it logs in. */
  readonly user: string | undefined;
  /** The users whose questions count. */
  readonly commanders: Commanders;
  /** Of the host's clock. */
  wallNow(): number;
}

/** A service's question to a client, as it comes from the queue of a session. */
export interface Ask {
  readonly id: string;
  readonly method: string;
}

type Who = Pick<TicketClaims, 'uid' | 'sid'>;

/** Services' questions among what comes from sessions' queues, and the way of clients' answers. */
export class Asking {
  /** Questions that came from a user who may not ask any. */
  refused = 0;
  readonly #options: AskingOptions;

  constructor(options: AskingOptions) {
    this.#options = options;
  }

  /** Undefined: nobody who counts has asked it, or nobody waits any more. */
  read(delivery: Delivery, { uid }: Who): Ask | undefined {
    const { commanders, wallNow } = this.#options;
    const { userId, headers } = delivery.properties;
    const isTheirs = commanders === 'any' || (userId !== undefined && commanders.has(userId));
    if (!isTheirs || !isSentTo(delivery, exchanges.events) || delivery.key !== askKey(uid)) {
      this.refused += 1;
      return undefined;
    }
    const { [askHeader]: id, [methodHeader]: method, [untilHeader]: untilMs } = headers;
    if (typeof id !== 'string' || askerOf(id) === undefined || typeof method !== 'string') return undefined;
    if (typeof untilMs === 'number' && wallNow() > untilMs + clockSlackMs) return undefined;
    return { id, method };
  }

  /** Resolves when the broker has it. `unrouted`: whoever has passed the question on is gone, or never was. */
  async answer(from: Who, id: string, body: InboundBody): Promise<PublishOutcome> {
    const sent = typed(body);
    return await this.#send(from, id, sent.body, { contentType: sent.contentType });
  }

  /** There is no answer. */
  async fail(from: Who, id: string, code: string, message: string): Promise<PublishOutcome> {
    return await this.#send(from, id, message, {
      contentType: 'text/plain',
      headers: { [errorHeader]: code },
    });
  }

  /** The question is longer than this client may be sent. */
  tooLarge(from: Who, id: string): void {
    this.fail(from, id, askErrors.tooLarge, 'the question is longer than an edge sends on').catch(() => {});
  }

  async #send(
    { uid, sid }: Who,
    id: string,
    body: Buffer | string,
    { headers, ...properties }: PublishProperties,
  ): Promise<PublishOutcome> {
    const { publisher, user } = this.#options;
    return await publisher.publish(exchanges.replies, answerAddress(askerOf(id) ?? ''), body, {
      ...properties,
      correlationId: id,
      userId: user,
      expiration: expireMs,
      mandatory: true,
      headers: { [userHeader]: fromUid(uid), [uidHeader]: uid, [sessionHeader]: sid, ...headers },
    });
  }
}
