import { sendBatch, sendEach, sendShared, sendToTopic, sendToUser } from './batch.js';
import type { Checking } from './checking.js';
import type { DirectedOptions, TopicOptions } from './message.js';
import type { Publishing } from './publishing.js';
import type { BatchEvent, BatchResult, Published, SharedEvent } from './types.js';

/** What sends events: into one mesh, or into those of several cells. */
export type Sends = Pick<Publishing, 'ready' | 'send' | 'sendAll'>;

/** The calls of a publisher that send, and its end. */
export abstract class Sending {
  abstract readonly publishing: Sends;
  protected abstract readonly checking: Checking;
  #closed: Promise<void> | undefined;

  async toUser(
    user: string,
    event: string,
    payload: unknown,
    options: DirectedOptions = {},
  ): Promise<Published> {
    return await sendToUser(this.publishing, { users: [user], event, payload, options }, this.checking);
  }

  toUsers(
    users: readonly string[],
    event: string,
    payload: unknown,
    options: Omit<DirectedOptions, 'id'> = {},
  ): Promise<Published[]> {
    return sendEach(this.publishing, { users, event, payload, options }, this.checking);
  }

  async toTopic(topic: string, payload: unknown, options: TopicOptions = {}): Promise<Published> {
    return await sendToTopic(this.publishing, { topic, payload, options }, this.checking);
  }

  event(event: SharedEvent): Promise<Published> {
    return sendShared(this.publishing, event, this.checking);
  }

  batch(events: readonly BatchEvent[]): Promise<BatchResult[]> {
    return sendBatch(this.publishing, events, this.checking);
  }

  close(): Promise<void> {
    this.#closed ??= this.end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends it, once. */
  protected abstract end(): Promise<void>;
}
