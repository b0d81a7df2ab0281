import { expect, it } from 'vitest';
import { eventually, makeQueue, openBroker, openProxied, unique } from './broker-fixture.js';

it('a connection says how many channels are open on it, and what is sent, waits and is consumed', async () => {
  const { broker, proxy } = await openProxied();
  const queue = unique('figures');
  await makeQueue(broker, queue);
  const publisher = broker.publisher({ window: 2 });
  await broker.consumers({ channels: 4 }).consume(queue, { onDelivery: (d) => d.ack() });
  await publisher.publish('', queue, 'one');
  // One each for declaring, publishing and consuming.
  expect(broker.figures()).toEqual({
    isConnected: true,
    isBlocked: false,
    reconnects: 0,
    channels: 3,
    unconfirmed: 0,
    waiting: 0,
    operationsWaiting: 0,
    consumers: 1,
    recovering: 0,
  });
  const published = [1, 2, 3].map((n) => publisher.publish('', queue, `${n}`));
  expect(broker.figures()).toMatchObject({ unconfirmed: 2, waiting: 1 });
  await Promise.all(published);
  const second = broker.consumers({ channels: 1 }).consume(queue, { onDelivery: (d) => d.ack() });
  // One that is being made has lost nothing.
  expect(broker.figures()).toMatchObject({ consumers: 2, recovering: 0 });
  await (await second).cancel();

  proxy.refuse();
  proxy.cut();
  await eventually(() => !broker.figures().isConnected, 'the loss is noticed');
  const later = publisher.publish('', queue, 'later');
  expect(broker.figures()).toMatchObject({ channels: 0, unconfirmed: 0, waiting: 1, recovering: 1 });
  proxy.allow();
  await later;
  await eventually(() => broker.figures().recovering === 0, 'the consumer is back');
  expect(broker.figures()).toMatchObject({ isConnected: true, reconnects: 1, waiting: 0, consumers: 1 });
});

it('what waits to be declared is counted while there is no connection', async () => {
  const { broker, proxy } = await openProxied();
  const queue = unique('declared-later');
  const topology = broker.topology({ channels: 1 });
  proxy.refuse();
  proxy.cut();
  await eventually(() => !broker.figures().isConnected, 'the loss is noticed');
  const looked = [topology.checkQueue(queue), topology.checkQueue(queue)];
  expect(broker.figures()).toMatchObject({ channels: 0, operationsWaiting: 2 });
  proxy.allow();
  expect(await Promise.all(looked)).toEqual([undefined, undefined]);
  expect(broker.figures().operationsWaiting).toBe(0);
});

it('a connection that is closed says so', async () => {
  const broker = await openBroker();
  await broker.close();
  expect(broker.figures()).toMatchObject({ isConnected: false, isBlocked: false });
});
