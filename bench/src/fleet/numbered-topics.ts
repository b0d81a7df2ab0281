import { Broker } from '@evenkeel/broker';
import { exchanges, topicKey } from '@evenkeel/protocol';
import { type NumberedPublisher, numbered } from './numbered-publisher.js';
import { topicName } from './topic-load.js';

export interface NumberedTopicsOptions {
  readonly amqpUrl: string;
  readonly topics: number;
  /** Messages a second over all topics. */
  readonly ratePerSecond: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/**
 * Publishes numbered messages to topics chosen at random, every other one of a topic without a `message_id`: their
 * contents differ, so what an edge derives from them is an identity too. As plain AMQP, since the publisher's SDK sets one.
 */
export async function startNumberedTopics(options: NumberedTopicsOptions): Promise<NumberedPublisher> {
  const { amqpUrl, topics, ratePerSecond, random } = options;
  const broker = await Broker.connect({ url: amqpUrl, name: 'numbered topics', attempts: 3 });
  const publisher = broker.publisher();
  return numbered({
    count: topics,
    ratePerSecond,
    pick: () => Math.floor(random() * topics),
    send: async (message) => {
      const outcome = await publisher.publish(
        exchanges.events,
        topicKey(topicName(message.n)),
        JSON.stringify(message),
        {
          mandatory: true,
          contentType: 'application/json',
          timestamp: Math.floor(message.at / 1_000),
          ...(message.k % 2 === 0 && { messageId: `${message.n}.${message.k}` }),
        },
      );
      return outcome === 'routed';
    },
    close: () => broker.close(),
    keepsTimes: true,
  });
}
