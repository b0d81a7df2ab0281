import { randomBytes, randomUUID } from 'node:crypto';
import type { Delivery } from '@evenkeel/broker';
import { askErrors, askTopicKey, askUserKey, errorHeader, exchanges, toUid } from '@evenkeel/protocol';
import { AnswerQueue, type AskingOptions } from './answer-queue.js';
import { AskError, PublisherError } from './errors.js';
import { dataOf } from './inbound.js';
import { checkedKey, checkName } from './message.js';
import type { OnlineOptions, TopicPresence, UserPresence } from './presence-types.js';

interface Open {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** When a question is asked again that no edge has answered: the one that had it may be gone, ms. */
const againMs = 2_000;
const defaultMs = 5_000;
const maxMs = 60_000;

/** Asks edges who is there; one of them answers for all. */
export class PresenceQuestions {
  readonly #publisher: AskingOptions['publisher'];
  readonly #replyKey: string;
  readonly #answers: AnswerQueue;
  readonly #open = new Map<string, Open>();

  constructor({ name, publisher, consuming }: AskingOptions) {
    const word = randomBytes(9).toString('base64url');
    this.#publisher = publisher;
    this.#replyKey = `answer.${name}.${word}`;
    this.#answers = new AnswerQueue({
      queue: `service.${name}.present:${word}`,
      binding: { exchange: exchanges.presence, key: this.#replyKey },
      consuming,
      onDelivery: (delivery) => this.#take(delivery),
    });
  }

  /** @throws AskError, PublisherError, NameError, BrokerError */
  async user(user: string, options: OnlineOptions = {}): Promise<UserPresence> {
    return (await this.#ask(checkedKey(askUserKey(toUid(user))), options)) as UserPresence;
  }

  /** @throws AskError, PublisherError, BrokerError */
  async topic(topic: string, options: OnlineOptions = {}): Promise<TopicPresence> {
    checkName('topic', topic);
    return (await this.#ask(checkedKey(askTopicKey(topic)), options)) as TopicPresence;
  }

  /** Whoever still waits waits no more. */
  close(error: Error): void {
    for (const { reject } of [...this.#open.values()]) reject(error);
  }

  async #ask(key: string, { timeoutMs = defaultMs }: OnlineOptions): Promise<unknown> {
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > maxMs)
      throw new PublisherError('bad-option', `timeoutMs is a whole number from 1 to ${maxMs}`);
    const leftMs = await this.#answers.listenWithin(timeoutMs);
    const correlationId = randomUUID();
    const properties = { correlationId, replyTo: this.#replyKey, expiration: leftMs, mandatory: true };
    return await new Promise((resolve, reject) => {
      const late = new AskError(askErrors.timeout, `no edge has answered within ${timeoutMs} ms`);
      const timers = [setTimeout(() => end(() => reject(late)), leftMs)];
      const end = (settle: () => void): void => {
        for (const timer of timers) clearTimeout(timer);
        this.#open.delete(correlationId);
        settle();
      };
      const failed = (error: Error): void => end(() => reject(error));
      const send = (): void => {
        this.#publisher.publish(exchanges.presence, key, Buffer.alloc(0), properties).then((outcome) => {
          if (outcome === 'unrouted') failed(new AskError(askErrors.notReady, 'no edge is there to answer'));
        }, failed);
      };
      timers.push(setInterval(send, againMs));
      this.#open.set(correlationId, { resolve: (answer) => end(() => resolve(answer)), reject: failed });
      send();
    });
  }

  #take(delivery: Delivery): void {
    delivery.ack();
    const { correlationId = '', headers } = delivery.properties;
    const open = this.#open.get(correlationId);
    const code = headers[errorHeader];
    if (typeof code === 'string') open?.reject(new AskError(code, delivery.body.toString('utf8')));
    else open?.resolve(dataOf(delivery));
  }
}
