import { type Broker, PublisherLanes } from '@evenkeel/broker';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';

/** Unconfirmed messages on a channel at most. */
const usualWindow = 1_024;

/** Publishes with confirms; topics by a channel for each namespace where RabbitMQ may not write them to their history else. */
export function confirmsOf(
  broker: Pick<Broker, 'publisher' | 'mayMissStreams'>,
  window: number = usualWindow,
): PublisherLanes {
  let mayMissStreams = false;
  return new PublisherLanes({
    make: () => broker.publisher({ window }),
    laneOf: (exchange, key) => {
      // Once it has been so it stays so: a message must not overtake one of its topic.
      mayMissStreams ||= broker.mayMissStreams;
      // Whether they have a history, only edges know.
      return mayMissStreams && exchange === exchanges.events ? namespaceOfKey(key) : undefined;
    },
  });
}
