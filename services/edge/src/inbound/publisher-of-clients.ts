import { PublisherLanes } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/mesh';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';
import { clientsWindow } from '../limits.js';

/** For what clients send. What has a history goes by a channel for its stream alone: RabbitMQ before 4.0 may not write it else. */
export function publisherOfClients(
  mesh: Pick<Mesh, 'publisherApart' | 'isCluster'>,
  histories: ReadonlyMap<string, unknown>,
): PublisherLanes {
  const hasHistory = (namespace: string | undefined) => namespace !== undefined && histories.has(namespace);
  return new PublisherLanes({
    make: () => mesh.publisherApart('clients', clientsWindow),
    laneOf: (exchange, key) => {
      if (!mesh.isCluster || exchange !== exchanges.events) return undefined;
      const namespace = namespaceOfKey(key);
      return hasHistory(namespace) ? namespace : undefined;
    },
    most: histories.size,
  });
}
