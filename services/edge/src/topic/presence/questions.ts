import type { Broker, ConsumerChannels, Delivery, Publisher } from '@evenkeel/broker';
import { isSentTo, SharedQueue } from '@evenkeel/mesh';
import { exchanges, fromUid, isTopic, isUid, queues } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { EdgePresence } from './presence.js';

/** Questions that an edge has in hand; the other edges take their part. */
const prefetch = 32;
/** An answer is of no use later, ms. */
const expiresMs = 5_000;
/** As it goes into a routing key, with room to spare. */
const addressForm = /^answer\.[\w~-]{1,64}(?:\.[\w~-]{1,128}){1,4}$/;

export interface PresenceQuestionsOptions {
  connection: Pick<Broker, 'whenOpen'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  publisher: Pick<Publisher, 'publish'>;
  presence: Pick<EdgePresence, 'isKnown' | 'of' | 'user'>;
  user: string | undefined;
  log: Pick<Log, 'warn'>;
  random(): number;
}

/** Answers what applications ask on `mesh.presence`: whether a user is online, who is in a topic. All edges share the work. */
export class PresenceQuestions {
  answered = 0;
  readonly #options: PresenceQuestionsOptions;
  readonly #queue: SharedQueue;

  constructor(options: PresenceQuestionsOptions) {
    this.#options = options;
    this.#queue = new SharedQueue({
      ...options,
      name: queues.asked,
      prefetch,
      onDelivery: (delivery) => void this.#take(delivery),
      missing: 'questions about presence are not answered yet',
    });
  }

  start(): void {
    this.#queue.start();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #take(delivery: Delivery): Promise<void> {
    try {
      await this.#respond(delivery);
    } catch (err) {
      // Whoever asked asks again.
      this.#options.log.warn({ err, key: delivery.key }, 'a question about presence was not answered');
    } finally {
      delivery.ack();
    }
  }

  async #respond(delivery: Delivery): Promise<void> {
    const { replyTo = '', correlationId } = delivery.properties;
    if (isSentTo(delivery, exchanges.presence) && addressForm.test(replyTo)) {
      const answer = await this.#answer(delivery.key);
      const { publisher, user: userId } = this.#options;
      const properties = {
        contentType: 'application/json',
        correlationId,
        userId,
        expiration: expiresMs,
        persistent: false,
        ...(answer === undefined && { headers: { 'evenkeel-error': 'bad-question' } }),
      };
      const body = JSON.stringify(answer ?? `${delivery.key} is no ask.user.<uid>, nor ask.topic.<topic>`);
      this.answered += 1;
      await publisher.publish(exchanges.presence, replyTo, body, properties).catch(() => {});
    }
  }

  async #answer(key: string): Promise<object | undefined> {
    const { presence } = this.#options;
    const [, what, ...words] = key.split('.');
    const name = words.join('.');
    // Where it is not, the best there is.
    await presence.isKnown();
    if (what === 'user' && isUid(name)) return await presence.user(fromUid(name));
    if (what === 'topic' && isTopic(name)) return presence.of(name);
    return undefined;
  }
}
