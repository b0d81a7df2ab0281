import { PublisherLanes } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/mesh';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';
import { clientsWindow } from '../limits.js';

/** For what clients send. What has a history goes by a channel for its stream alone where RabbitMQ may not write it else. */
export function publisherOfClients(
  mesh: Pick<Mesh, 'publisherApart'> & { readonly consuming: Pick<Mesh['consuming'], 'mayMissStreams'> },
  histories: ReadonlyMap<string, unknown>,
): PublisherLanes {
  return new PublisherLanes({
    make: () => mesh.publisherApart('clients', clientsWindow),
    isNeeded: () => mesh.consuming.mayMissStreams,
    laneOf: (exchange, key) => {
      const namespace = exchange === exchanges.events ? namespaceOfKey(key) : undefined;
      return namespace !== undefined && histories.has(namespace) ? namespace : undefined;
    },
    most: histories.size,
  });
}
