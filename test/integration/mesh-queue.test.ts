import { OwnQueue } from '@evenkeel/mesh';
import { expect, it } from 'vitest';
import { rabbitmqctl } from '../support/broker.js';
import { eventually, openBroker, unique } from './broker-fixture.js';

it('an own queue that is deleted is made again with its bindings, and says so', async () => {
  const broker = await openBroker();
  const exchange = unique('exchange');
  await broker.declare({ exchanges: [{ name: exchange, type: 'topic', durable: false, autoDelete: true }] });
  const seen: string[] = [];
  const events: string[] = [];
  const queue = new OwnQueue(broker, {
    name: unique('own'),
    bindings: [{ exchange, key: 'static' }],
    onDelivery: (d) => {
      d.ack();
      seen.push(d.key);
    },
    onLost: (why) => events.push(`lost ${why}`),
    onRemade: () => events.push('remade'),
    onRestored: (b) => events.push(b.key),
  });
  await queue.start();
  await queue.bind(exchange, 'dynamic');
  const publisher = broker.publisher();
  await publisher.publish(exchange, 'static', 'x');
  await publisher.publish(exchange, 'dynamic', 'x');
  await eventually(() => seen.length === 2, 'delivered');
  const { name } = queue;
  await rabbitmqctl('delete_queue', name);
  await eventually(() => events.length === 3, 'made again');
  expect(events).toEqual(['lost it was deleted', 'remade', 'dynamic']);
  expect(queue.readiness()).toBe(true);
  expect(queue.name).not.toBe(name);
  await publisher.publish(exchange, 'static', 'x');
  await publisher.publish(exchange, 'dynamic', 'x');
  await eventually(() => seen.length === 4, 'delivered');
  await queue.stop();
});
