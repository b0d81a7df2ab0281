import type { PrivateBroker } from '@evenkeel/local';
import { beforeAll, onTestFinished, test } from 'vitest';
import { startTestBroker } from '../support/private-broker.js';
import { WatchedMesh } from '../support/watched-mesh.js';

/** What a user may do, as patterns of names. */
interface Rights {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

let broker: PrivateBroker;
let world: WatchedMesh;

beforeAll(async () => {
  broker = await startTestBroker();
  try {
    world = await WatchedMesh.start({ amqpUrl: broker.amqpUrl, urlFor: broker.urlFor });
  } catch (error) {
    await broker.stop();
    throw error;
  }
  return async () => {
    await world.stop();
    await broker.stop();
  };
});

test('EvenkeelBrokerBlocked fires when RabbitMQ raises an alarm, and rests when it is over', async () => {
  await broker.ctl(['set_vm_memory_high_watermark', '0.0001']);
  onTestFinished(async () => void (await broker.ctl(['set_vm_memory_high_watermark', '0.4'])));
  await world.prometheus.fires('EvenkeelBrokerBlocked');
  await broker.ctl(['set_vm_memory_high_watermark', '0.4']);
  await world.prometheus.rests('EvenkeelBrokerBlocked');
});

test('EvenkeelConsumersRecovering fires when RabbitMQ takes rights away, and rests when they are back', async () => {
  await world.clients(3, 'deprived');
  const [rights] = JSON.parse(
    await broker.ctl(['list_user_permissions', 'edge', '--formatter', 'json']),
  ) as Rights[];
  if (rights === undefined) throw new Error('edges have no rights');
  const may = async ({ configure, write, read }: Rights): Promise<void> => {
    await broker.ctl(['set_permissions', 'edge', configure, write, read]);
    // A channel remembers what its user may do.
    await broker.ctl(['close_all_connections', '--vhost', '/', 'other rights']);
  };
  await may({ ...rights, read: '^$' });
  onTestFinished(() => may(rights));
  await world.prometheus.fires('EvenkeelConsumersRecovering');
  await may(rights);
  await world.prometheus.rests('EvenkeelConsumersRecovering');
});

test('EvenkeelBrokerFlapping fires when connections are lost again and again', async () => {
  await world.prometheus.rests('EvenkeelBrokerFlapping');
  await world.prometheus.fires('EvenkeelBrokerFlapping', async () => {
    await broker.ctl(['close_all_connections', '--vhost', '/', 'a test']);
  });
});

test('EvenkeelBrokerDisconnected fires when RabbitMQ is stopped, and rests when it runs', async () => {
  await broker.ctl(['stop_app']);
  onTestFinished(async () => void (await broker.ctl(['start_app'])));
  await world.prometheus.fires('EvenkeelBrokerDisconnected');
  await broker.ctl(['start_app']);
  await world.prometheus.rests('EvenkeelBrokerDisconnected');
});
