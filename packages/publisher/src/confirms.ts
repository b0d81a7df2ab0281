import { type Broker, PublisherLanes } from '@evenkeel/broker';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';

/** Unconfirmed messages on a channel at most. */
const usualWindow = 1_024;

/** Publishes with confirms; topics by a channel for each namespace where RabbitMQ may not write them to their history else. */
export function confirmsOf(
  broker: Pick<Broker, 'publisher' | 'mayMissStreams'>,
  window: number = usualWindow,
): PublisherLanes {
  return new PublisherLanes({
    make: () => broker.publisher({ window }),
    isNeeded: () => broker.mayMissStreams,
    // Whether they have a history, only edges know.
    laneOf: (exchange, key) => (exchange === exchanges.events ? namespaceOfKey(key) : undefined),
  });
}
