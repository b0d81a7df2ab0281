import { BrokerError, type Delivery, type Publisher, type PublishProperties } from '@evenkeel/broker';
import { LogLimit } from '@evenkeel/pace';
import { exchanges } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Follower } from '../trace/follower.js';
import { type Owner, undeliveredMessage, type Why } from './message.js';

const logEveryMs = 10_000;

/** What of a delivery goes on. */
export type Dropped = Pick<Delivery, 'body' | 'key' | 'properties'>;

export interface UndeliveredOptions {
  publisher: Pick<Publisher, 'publish'>;
  log: Pick<Log, 'warn'>;
  /** There only while somebody looks. */
  following?: Pick<Follower, 'undelivered'> | undefined;
}

/**
 * Events that reach one session no more go to `mesh.undelivered`, where an application finds them: to send a push, say. At least
 * once: whoever hands one over acknowledges it when the promise has resolved, and gives it back when that rejects.
 */
export class Undelivered {
  /** How many were published, by why. */
  readonly counts: Record<Why, number> = { overflow: 0, expired: 0, ended: 0, 'too-large': 0 };
  /** Events that RabbitMQ takes in no form. */
  refused = 0;
  readonly #options: UndeliveredOptions;
  readonly #refusedLog = new LogLimit(logEveryMs);

  constructor(options: UndeliveredOptions) {
    this.#options = options;
  }

  /** @throws BrokerError when the broker does not take it now. */
  async publish(dropped: Dropped, why: Why, owner: Owner): Promise<void> {
    const { key, body, properties } = undeliveredMessage(dropped, why, owner);
    try {
      await this.#send(key, body, properties);
    } catch (error) {
      if (!isRefused(error)) throw error;
      await this.#sendPlain(key, body, properties, error);
    }
    this.counts[why] += 1;
    this.#options.following?.undelivered(dropped, why, owner);
  }

  /** Of the publisher's own headers and properties, only what identifies it: something among the rest cannot be written again. */
  async #sendPlain(key: string, body: Buffer, properties: PublishProperties, why: unknown): Promise<void> {
    const { messageId, contentType, persistent, headers = {} } = properties;
    const ours = Object.entries(headers).filter(([name]) => name.startsWith('evenkeel-'));
    try {
      await this.#send(key, body, { messageId, contentType, persistent, headers: Object.fromEntries(ours) });
    } catch (error) {
      if (!isRefused(error)) throw error;
      this.refused += 1;
      const suppressed = this.#refusedLog.pass(performance.now());
      if (suppressed !== undefined)
        this.#options.log.warn({ err: why, key, suppressed }, 'undelivered event cannot be published');
    }
  }

  async #send(key: string, body: Buffer, properties: PublishProperties): Promise<void> {
    await this.#options.publisher.publish(exchanges.undelivered, key, body, properties);
  }
}

/** Whatever is tried again, it would be refused again. */
const isRefused = (error: unknown): boolean =>
  error instanceof BrokerError && error.code === 'publish-refused';
