import type { Broker, Delivery } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { eventually, makeQueue, openBroker, openProxied, unique } from './broker-fixture.js';

/** What the hand-over relies on, on the broker that runs here. */

const count = 20;
const window = 8;

async function filled(broker: Broker, queue: string): Promise<void> {
  await makeQueue(broker, queue, { 'x-single-active-consumer': true });
  const publisher = broker.publisher();
  await Promise.all(Array.from({ length: count }, (_, n) => publisher.publish('', queue, `${n}`)));
}

const numbers = (deliveries: Delivery[]): number[] => deliveries.map((d) => Number(d.body.toString()));
const upTo = (end: number, begin = 0) => Array.from({ length: end - begin }, (_, n) => begin + n);

describe('RabbitMQ, as the hand-over needs it', () => {
  it('serves the next consumer while a cancelled one still holds messages: cancel alone is no ordered hand-off', async () => {
    const [a, b] = [await openBroker(), await openBroker()];
    const queue = unique('cancel-alone');
    await filled(a, queue);
    const held: Delivery[] = [];
    const first = await a.consumers({ prefetch: window }).consume(queue, { onDelivery: (d) => held.push(d) });
    await eventually(() => held.length === window, 'a window is held');
    await first.cancel();
    const got: Delivery[] = [];
    await b.consumers({ prefetch: 100 }).consume(queue, { onDelivery: (d) => got.push(d) });
    await eventually(() => got.length === count - window, 'the rest is delivered');
    for (const delivery of held) delivery.requeue();
    await eventually(() => got.length === count, 'what was held comes late');
    expect(numbers(got)).toEqual([...upTo(count, window), ...upTo(window)]);
  });

  it('puts requeued messages back in their places before whoever consumes after the barrier', async () => {
    const [a, b] = [await openBroker(), await openBroker()];
    const consumers = [a.consumers({ prefetch: window }), b.consumers({ prefetch: window })] as const;
    for (let round = 0; round < 20; round++) {
      const queue = unique('barrier');
      await filled(a, queue);
      const held: Delivery[] = [];
      const first = await consumers[0].consume(queue, { onDelivery: (d) => held.push(d) });
      await eventually(() => held.length === window, 'a window is held');
      await first.cancel();
      for (const delivery of held) delivery.requeue();
      expect(await first.barrier()).toMatchObject({ consumers: 0 });
      const got: Delivery[] = [];
      const second = await consumers[1].consume(queue, {
        onDelivery: (d) => {
          got.push(d);
          d.ack();
        },
      });
      await eventually(() => got.length === count, 'all arrive');
      expect(numbers(got)).toEqual(upTo(count));
      expect(got.map((d) => d.redelivered)).toEqual(upTo(count).map((n) => n < window));
      await second.cancel();
    }
  });

  it('lets a second consumer of a single-active queue wait its turn', async () => {
    const [a, b] = [await openBroker(), await openBroker()];
    const queue = unique('turn');
    await filled(a, queue);
    const held: Delivery[] = [];
    await a.consumers({ prefetch: window }).consume(queue, { onDelivery: (d) => held.push(d) });
    await eventually(() => held.length === window, 'a window is held');
    const got: Delivery[] = [];
    const second = await b.consumers({ prefetch: 100 }).consume(queue, { onDelivery: (d) => got.push(d) });
    // The barrier's answer comes after any delivery that the queue had sent to that channel before.
    for (let look = 0; look < 10; look++) expect(await second.barrier()).toMatchObject({ consumers: 2 });
    expect(got).toHaveLength(0);
    for (const delivery of held.slice(0, 3)) delivery.ack();
    await eventually(() => held.length === window + 3, 'the first goes on');
    expect(got).toHaveLength(0);
  });

  it.each(['closed', 'lost'])(
    'puts back what a %s connection held before the waiting consumer gets anything',
    async (how) => {
      for (let round = 0; round < 10; round++) {
        const { broker: a, proxy } = await openProxied();
        const b = await openBroker();
        const queue = unique('connection-down');
        await filled(b, queue);
        const held: Delivery[] = [];
        await a.consumers({ prefetch: window }).consume(queue, { onDelivery: (d) => held.push(d) });
        await eventually(() => held.length === window, 'a window is held');
        const got: Delivery[] = [];
        await b.consumers({ prefetch: 100 }).consume(queue, { onDelivery: (d) => got.push(d) });
        proxy.refuse();
        if (how === 'closed') await a.close();
        else proxy.cut();
        await eventually(() => got.length === count, 'the next one gets all');
        expect(numbers(got)).toEqual(upTo(count));
        expect(got.map((d) => d.redelivered)).toEqual(upTo(count).map((n) => n < window));
        await Promise.all([a.close(), b.close()]);
      }
    },
  );

  it('drops an exclusive queue with its connection, and gives back what that connection consumed', async () => {
    const watcher = await openBroker();
    const publisher = watcher.publisher();
    for (let round = 0; round < 10; round++) {
      const { broker: a, proxy } = await openProxied();
      const [control, queue] = [unique('control'), unique('session')];
      await filled(watcher, queue);
      await a.topology().declareQueue({ name: control, durable: false, exclusive: true });
      const held: Delivery[] = [];
      await a.consumers({ prefetch: window }).consume(queue, { onDelivery: (d) => held.push(d) });
      await eventually(() => held.length === window, 'a window is held');
      expect(await publisher.publish('', control, 'there?', { mandatory: true })).toBe('routed');
      proxy.refuse();
      proxy.cut();
      await eventually(
        async () => (await publisher.publish('', control, 'there?', { mandatory: true })) === 'unrouted',
        'its exclusive queue is gone',
      );
      await eventually(async () => {
        const counts = await watcher.topology().checkQueue(queue);
        return counts?.messages === count && counts.consumers === 0;
      }, 'nothing that it consumed is held');
      await a.close();
    }
  });
});
