import type { Delivery } from '@evenkeel/broker';
import { expect, it } from 'vitest';
import { eventually, makeQueue, openBroker, unique } from './broker-fixture.js';

it('a consumer unbinds its queue on its own channel, among calls for other queues, and goes on', async () => {
  const broker = await openBroker();
  const queues = Array.from({ length: 8 }, (_, n) => unique(`unbound-${n}`));
  for (const queue of queues) await makeQueue(broker, queue);
  const topology = broker.topology();
  const consumers = broker.consumers({ channels: 1 });
  const came: string[] = [];
  const onDelivery = (d: Delivery) => {
    came.push(d.body.toString());
    d.ack();
  };
  const all = await Promise.all(queues.map((queue) => consumers.consume(queue, { onDelivery })));
  const key = unique('key');
  for (const queue of queues) await topology.bind(queue, 'amq.topic', key);
  // Of all but the last.
  const calls = all
    .slice(0, -1)
    .flatMap((each) => [each.barrier(), each.unbind('amq.topic', key), each.barrier()]);
  expect((await Promise.all(calls)).filter((counts) => counts !== undefined)).toHaveLength(14);
  const publisher = broker.publisher();
  await publisher.publish('amq.topic', key, 'bound');
  await Promise.all(queues.map((queue) => publisher.publish('', queue, queue)));
  await eventually(() => came.length >= 9, 'all of it');
  expect(came.sort()).toEqual(['bound', ...queues].sort());
  await all[0]?.cancel();
  broker.close();
  await expect(all[1]?.unbind('amq.topic', key)).rejects.toThrow();
});
