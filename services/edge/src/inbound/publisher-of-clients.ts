import { type Publisher, PublisherLanes } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/mesh';
import { exchanges, namespaceOfKey } from '@evenkeel/protocol';
import { clientsWindow, inAlarm } from '../limits.js';

/** For what clients send, in order. */
interface PublishersOfClients {
  /** Of what is to be kept: it waits while RabbitMQ is in an alarm. */
  readonly patient: PublisherLanes;
  /** Of what somebody waits for: in an alarm it is refused soon, with `publisher-blocked`, and does not go out later. */
  readonly prompt: Pick<Publisher, 'publish'>;
}

/** What has a history goes by a channel for its stream alone where RabbitMQ may not write it else. */
export function publishersOfClients(
  mesh: Pick<Mesh, 'publisherApart'> & { readonly consuming: Pick<Mesh['consuming'], 'mayMissStreams'> },
  histories: ReadonlyMap<string, unknown>,
): PublishersOfClients {
  const patient = new PublisherLanes({
    make: () => mesh.publisherApart('clients', clientsWindow),
    isNeeded: () => mesh.consuming.mayMissStreams,
    laneOf: (exchange, key) => {
      const namespace = exchange === exchanges.events ? namespaceOfKey(key) : undefined;
      return namespace !== undefined && histories.has(namespace) ? namespace : undefined;
    },
    most: histories.size,
  });
  const prompt: PublishersOfClients['prompt'] = {
    publish: (exchange, key, body, properties, waitMs) =>
      patient.publish(exchange, key, body, properties, waitMs, inAlarm.refusedAfterMs),
  };
  return { patient, prompt };
}
