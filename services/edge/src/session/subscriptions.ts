import { errorCodes, isTopic } from '@evenkeel/protocol';
import { errorFrame, okFrame } from '../frame/frames.js';
import type { TopicHub } from '../topic/hub.js';
import type { Connection } from '../transport/connection.js';

/** The topics of one connection: counted in at the hub, subscribed on the connection. */
export class Subscriptions {
  readonly #names = new Set<string>();
  readonly #connection: Connection;
  readonly #hub: TopicHub;
  readonly #limit: number;
  readonly #say: (frame: string) => void;

  constructor(connection: Connection, hub: TopicHub, limit: number, say: (frame: string) => void) {
    this.#connection = connection;
    this.#hub = hub;
    this.#limit = limit;
    this.#say = say;
  }

  get size(): number {
    return this.#names.size;
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.#names.values();
  }

  /** Resolves when every later message of the topic reaches the connection, or the refusal was said. `id`: of the request. */
  async join(topic: string, id: string | undefined): Promise<void> {
    if (!isTopic(topic)) {
      const message = 'a topic is words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes, no wildcards';
      this.#say(errorFrame(id, errorCodes.badTopic, message));
      return;
    }
    if (!this.#names.has(topic)) {
      if (this.#names.size >= this.#limit) {
        const message = `at most ${this.#limit} topics; unsubscribe from one`;
        this.#say(errorFrame(id, errorCodes.topicLimit, message));
        return;
      }
      this.#names.add(topic);
      try {
        await this.#hub.join(topic);
      } catch {
        this.#names.delete(topic);
        const message = 'not subscribed: the broker is away; try again';
        this.#say(errorFrame(id, errorCodes.brokerUnavailable, message));
        return;
      }
      // It may have been left, or the socket closed, while the broker was binding.
      if (!this.#connection.isOpen || !this.#names.has(topic)) {
        this.#hub.leave(topic);
        return;
      }
      this.#connection.subscribe(topic);
    }
    if (id !== undefined) this.#say(okFrame(id));
  }

  leave(topic: string): void {
    if (!this.#names.delete(topic)) return;
    this.#connection.unsubscribe(topic);
    this.#hub.leave(topic);
  }

  leaveAll(): void {
    for (const topic of [...this.#names]) this.leave(topic);
  }
}
