import { BrokerError, type Log, type PublishOutcome, type PublishProperties } from '@evenkeel/broker';
import {
  exchanges,
  partAckHeader,
  partHeader,
  partsHeader,
  type TraceContext,
} from '@evenkeel/protocol/wire';
import type { Reply } from './reply.js';

/** How long a reply waits for its client, ms: as long as a client waits at most. */
const replyLifetimeMs = 30_000;

/** The part of a publisher with confirms that is used here. */
export interface ReplyPublisher {
  publish(
    exchange: string,
    key: string,
    body: Buffer,
    properties: PublishProperties,
  ): Promise<PublishOutcome>;
}

export interface RepliesOptions {
  readonly publisher: ReplyPublisher;
  /** Another channel, made when it is first needed: the broker closes the channel of who may not use the default exchange. */
  toDefault(): ReplyPublisher;
  readonly log: Pick<Log, 'warn'> | undefined;
}

/** Where a request wants its reply. */
export interface ReplyAddress {
  readonly replyTo: string;
  readonly correlationId: string | undefined;
  /** The exchange that the request names, as its header has it. */
  readonly exchange: unknown;
  /** The trace that the request belongs to: its reply does too. */
  readonly trace?: TraceContext | undefined;
}

/**
 * Sends services' replies: to `mesh.replies` where the request says so, else (an edge older than that exchange has taken it,
 * or whoever asks is no client) to the default exchange; and what comes back as unroutable once to the other of the two,
 * since sessions move between edges old and new.
 */
export class Replies {
  readonly #options: RepliesOptions;
  #defaultPublisher: ReplyPublisher | undefined;
  /** Whether this user may write to the default exchange, as far as is known. */
  #mayUseDefault = true;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  /** Resolves when the reply is confirmed, or nobody is there to get it. @throws BrokerError */
  async send({ replyTo, correlationId, exchange, trace }: ReplyAddress, reply: Reply): Promise<void> {
    const error = reply.errorCode === undefined ? undefined : { 'evenkeel-error': reply.errorCode };
    const parts = reply.parts ? { [partsHeader]: reply.parts } : undefined;
    const properties: PublishProperties = {
      correlationId,
      contentType: reply.contentType,
      headers: error || trace || parts ? { ...trace, ...error, ...parts } : undefined,
      // Behind parts it waits as they do.
      expiration: parts ? undefined : replyLifetimeMs,
      persistent: parts !== undefined,
      mandatory: true,
    };
    const isNew = exchange === exchanges.replies;
    for (const isFirst of [true, false]) {
      const isTaken =
        isNew === isFirst
          ? await this.#toReplies(replyTo, reply.body, properties)
          : await this.#toDefault(replyTo, reply.body, properties);
      if (isTaken) return;
    }
  }

  /** A part of an answer; true once it is confirmed, false if nobody is there to get it. @throws BrokerError */
  async sendPart(
    { replyTo, correlationId, trace }: ReplyAddress,
    part: Reply,
    n: number,
    ackWord: string | undefined,
  ): Promise<boolean> {
    const ack = ackWord === undefined ? undefined : { [partAckHeader]: ackWord };
    return await this.#toReplies(replyTo, part.body, {
      correlationId,
      contentType: part.contentType,
      headers: { ...trace, [partHeader]: n, ...ack },
      persistent: true,
      mandatory: true,
    });
  }

  async #toReplies(replyTo: string, body: Buffer, properties: PublishProperties): Promise<boolean> {
    try {
      const { publisher } = this.#options;
      return (await publisher.publish(exchanges.replies, replyTo, body, properties)) === 'routed';
    } catch (error) {
      // A mesh of before it was known.
      if (error instanceof BrokerError && error.code === 'no-exchange') return false;
      throw error;
    }
  }

  async #toDefault(replyTo: string, body: Buffer, properties: PublishProperties): Promise<boolean> {
    if (!this.#mayUseDefault) return false;
    this.#defaultPublisher ??= this.#options.toDefault();
    try {
      return (await this.#defaultPublisher.publish('', replyTo, body, properties)) === 'routed';
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== 'publish-refused') throw error;
      this.#mayUseDefault = false;
      this.#options.log?.warn(
        { replyTo },
        'no right to the default exchange: replies go to mesh.replies alone',
      );
      return false;
    }
  }
}
