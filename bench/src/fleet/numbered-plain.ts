import { Broker } from '@evenkeel/broker';
import { exchanges, topicKey, toUid, userKey } from '@evenkeel/protocol';
import { type NumberedPublisher, numbered } from './numbered-publisher.js';
import { topicName } from './topic-load.js';

interface PlainOptions {
  readonly amqpUrl: string;
  /** Messages a second over all. */
  readonly ratePerSecond: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Publishes numbered messages to topics chosen at random, as plain AMQP. */
export function startNumberedTopics(
  options: PlainOptions & { readonly topics: number },
): Promise<NumberedPublisher> {
  const keyOf = (n: number) => topicKey(topicName(n));
  return startPlain({ ...options, count: options.topics, keyOf, keepsTimes: true });
}

/** Publishes numbered events to users chosen at random, as plain AMQP. */
export function startPlainEvents(
  options: PlainOptions & { readonly users: readonly string[] },
): Promise<NumberedPublisher> {
  const { users } = options;
  const keyOf = (n: number) => userKey(toUid(users[n] ?? ''), 'numbered');
  return startPlain({ ...options, count: users.length, keyOf, keepsTimes: false });
}

/**
 * Every other message has no `message_id`: their contents differ, so what an edge derives from them is an identity too. As plain AMQP,
 * since the publisher's SDK sets one.
 */
async function startPlain(
  options: PlainOptions & {
    readonly count: number;
    readonly keyOf: (n: number) => string;
    readonly keepsTimes: boolean;
  },
): Promise<NumberedPublisher> {
  const { amqpUrl, count, ratePerSecond, random, keyOf, keepsTimes } = options;
  const broker = await Broker.connect({ url: amqpUrl, name: 'numbered, plain', attempts: 3 });
  const publisher = broker.publisher();
  return numbered({
    count,
    ratePerSecond,
    pick: () => Math.floor(random() * count),
    send: async (message) => {
      const outcome = await publisher.publish(exchanges.events, keyOf(message.n), JSON.stringify(message), {
        mandatory: true,
        contentType: 'application/json',
        timestamp: Math.floor(message.at / 1_000),
        ...(message.k % 2 === 0 && { messageId: `${message.n}.${message.k}` }),
      });
      return outcome === 'routed';
    },
    close: () => broker.close(),
    keepsTimes,
  });
}
