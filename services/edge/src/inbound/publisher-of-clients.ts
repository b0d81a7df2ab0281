import { PublisherLanes } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/mesh';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';
import { clientsWindow } from '../limits.js';

/** For what clients send. What has a history goes by a channel for its stream alone where RabbitMQ may not write it else. */
export function publisherOfClients(
  mesh: Pick<Mesh, 'publisherApart'> & { readonly consuming: Pick<Mesh['consuming'], 'mayMissStreams'> },
  histories: ReadonlyMap<string, unknown>,
): PublisherLanes {
  let mayMissStreams = false;
  return new PublisherLanes({
    make: () => mesh.publisherApart('clients', clientsWindow),
    laneOf: (exchange, key) => {
      // Once it has been so it stays so: a message must not overtake one of its topic.
      mayMissStreams ||= mesh.consuming.mayMissStreams;
      if (!mayMissStreams || exchange !== exchanges.events) return undefined;
      const namespace = namespaceOfKey(key);
      return namespace !== undefined && histories.has(namespace) ? namespace : undefined;
    },
    most: histories.size,
  });
}
