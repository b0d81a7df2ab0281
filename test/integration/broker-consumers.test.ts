import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Delivery } from '@evenkeel/broker';
import { describe, expect, inject, it } from 'vitest';
import { eventually, LogMemory, makeQueue, openBroker, openProxied, unique } from './broker-fixture.js';

describe('a consumer', () => {
  it('is harmed neither by a throwing handler nor are its neighbours', async () => {
    const log = new LogMemory();
    const broker = await openBroker({ log });
    const queues = [unique('throws'), unique('neighbour')] as const;
    for (const queue of queues) await makeQueue(broker, queue);
    const consumers = broker.consumers({ channels: 1 });
    const seen: string[] = [];
    let losses = 0;
    let throwsLeft = 1;
    const onLost = () => {
      losses++;
    };
    await consumers.consume(queues[0], {
      onLost,
      onDelivery: (d) => {
        if (throwsLeft-- > 0) throw new Error('handler fault');
        seen.push(`${d.body} ${d.redelivered}`);
        d.ack();
      },
    });
    await consumers.consume(queues[1], {
      onLost,
      onDelivery: (d) => {
        seen.push(d.body.toString());
        d.ack();
      },
    });
    const publisher = broker.publisher();
    await publisher.publish('', queues[0], 'again');
    await publisher.publish('', queues[1], 'neighbour');
    await eventually(() => seen.length === 2, 'both arrive');
    expect(seen.sort()).toEqual(['again true', 'neighbour']);
    expect(losses).toBe(0);
    expect(log.has('delivery handler threw')).toBe(true);
  });

  it('what it has acknowledged does not come again when its connection is closed at once', async () => {
    const broker = await openBroker();
    const queue = unique('closed');
    await makeQueue(broker, queue);
    const bodies = Array.from({ length: 40 }, (_, n) => `${n}`);
    const publisher = broker.publisher();
    await Promise.all(bodies.map((body) => publisher.publish('', queue, body)));
    const leaving = await openBroker();
    const held: Delivery[] = [];
    await leaving.consumers({ prefetch: 40 }).consume(queue, { onDelivery: (d) => held.push(d) });
    await eventually(() => held.length === 40, 'all are held');
    for (const delivery of held.slice(0, 30)) delivery.ack();
    await leaving.close();
    const left: string[] = [];
    await broker.consumers({ prefetch: 40 }).consume(queue, {
      onDelivery: (d) => {
        left.push(d.body.toString());
        d.ack();
      },
    });
    await publisher.publish('', queue, 'last');
    await eventually(() => left.at(-1) === 'last', 'what is left comes');
    expect(left).toEqual([...bodies.slice(30), 'last']);
  });

  it('settles after cancel: the next consumer gets what was requeued first, in order', async () => {
    const broker = await openBroker();
    const queue = unique('settle');
    await makeQueue(broker, queue);
    const publisher = broker.publisher();
    const bodies = Array.from({ length: 20 }, (_, i) => `${i}`);
    await Promise.all(bodies.map((body) => publisher.publish('', queue, body)));
    const held: Delivery[] = [];
    const consumers = broker.consumers({ prefetch: 20 });
    const first = await consumers.consume(queue, { onDelivery: (d) => held.push(d) });
    await eventually(() => held.length === 20, 'all are held');
    await first.cancel();
    expect(first.state).toBe('cancelled');
    for (const delivery of held.slice(0, 5)) delivery.ack();
    for (const delivery of held.slice(5)) delivery.requeue();
    expect(await first.barrier()).toMatchObject({ consumers: 0 });
    const second: string[] = [];
    await consumers.consume(queue, {
      onDelivery: (d) => {
        second.push(d.body.toString());
        d.ack();
      },
    });
    await eventually(() => second.length === 15, 'the rest arrives');
    expect(second).toEqual(bodies.slice(5));
  });

  it('hands a queue over behind its barrier in order, under traffic, between two connections', async () => {
    const brokers = [await openBroker(), await openBroker()] as const;
    const queue = unique('handover');
    await makeQueue(brokers[0], queue, { 'x-single-active-consumer': true });
    const publisher = (await openBroker()).publisher({ window: 100 });
    let [published, isFlowing] = [0, true];
    const flow = (async () => {
      while (isFlowing) {
        const batch = Array.from({ length: 20 }, () => publisher.publish('', queue, `${published++}`));
        await Promise.all(batch);
      }
    })();
    const handled: number[] = [];
    const sides = brokers.map((broker) => broker.consumers({ prefetch: 50 }));
    for (let round = 0; round < 60; round++) {
      const held: Delivery[] = [];
      const consumer = await sides[round % 2]?.consume(queue, { onDelivery: (d) => held.push(d) });
      await eventually(() => held.length >= 10, 'some are held');
      await consumer?.cancel();
      for (const [index, delivery] of held.entries()) {
        if (index < 5) {
          handled.push(Number(delivery.body.toString()));
          delivery.ack();
        } else delivery.requeue();
      }
      expect(await consumer?.barrier()).toBeDefined();
    }
    isFlowing = false;
    await flow;
    expect(handled).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it('gets nothing after cancel has resolved, under traffic', async () => {
    const broker = await openBroker();
    const queue = unique('cancelled');
    await makeQueue(broker, queue);
    const publisher = broker.publisher();
    let isFlowing = true;
    const flow = (async () => {
      while (isFlowing)
        await Promise.all(Array.from({ length: 50 }, () => publisher.publish('', queue, 'x')));
    })();
    let isCancelled = false;
    let [received, late] = [0, 0];
    const consumer = await broker.consumers({ prefetch: 500 }).consume(queue, {
      onDelivery: (d) => {
        received++;
        if (isCancelled) late++;
        d.ack();
      },
    });
    await eventually(() => received > 500, 'traffic flows');
    await Promise.all([consumer.cancel(), consumer.cancel()]);
    isCancelled = true;
    await publisher.publish('', queue, 'one more');
    isFlowing = false;
    await flow;
    await consumer.barrier();
    expect(late).toBe(0);
  });

  it('survives the deletion of its queue: told, re-declared by prepare, consuming again', async () => {
    const broker = await openBroker();
    const queue = unique('deleted');
    await makeQueue(broker, queue);
    const topology = broker.topology();
    const events: string[] = [];
    const consumer = await broker.consumers({ channels: 1 }).consume(queue, {
      onDelivery: (d) => {
        events.push(d.body.toString());
        d.ack();
      },
      onLost: (why) => events.push(`lost: ${why}`),
      prepare: async () => {
        await topology.declareQueue({ name: queue, arguments: { 'x-expires': 60_000 } });
      },
      onRecovered: () => events.push('recovered'),
    });
    await topology.deleteQueue(queue);
    await eventually(() => events.includes('recovered'), 'it recovers');
    await broker.publisher().publish('', queue, 'after');
    await eventually(() => events.includes('after'), 'it consumes');
    expect(events).toEqual(['lost: cancelled', 'recovered', 'after']);
    expect(consumer.state).toBe('active');
  });

  it('without prepare waits for its deleted queue, its shard unharmed, until it is cancelled', async () => {
    const log = new LogMemory();
    const broker = await openBroker({ log });
    const [queue, neighbour] = [unique('gone'), unique('stays')];
    await makeQueue(broker, queue);
    await makeQueue(broker, neighbour);
    const consumers = broker.consumers({ channels: 1 });
    let neighbourLosses = 0;
    await consumers.consume(neighbour, {
      onDelivery: (d) => d.ack(),
      onLost: () => {
        neighbourLosses++;
      },
    });
    const consumer = await consumers.consume(queue, { onDelivery: (d) => d.ack() });
    await broker.topology().deleteQueue(queue);
    await eventually(() => log.has('consumer recovery failed'), 'the look finds no queue');
    expect(await consumer.barrier()).toBeUndefined();
    expect(consumer.state).toBe('recovering');
    await consumer.cancel();
    expect(consumer.state).toBe('cancelled');
    expect(neighbourLosses).toBe(0);
    expect(consumers.size).toBe(1);
  });

  it('rejects with no-queue on a missing queue, and its shard recovers', async () => {
    const broker = await openBroker();
    const neighbour = unique('neighbour');
    await makeQueue(broker, neighbour);
    const consumers = broker.consumers({ channels: 1 });
    const events: string[] = [];
    await consumers.consume(neighbour, {
      onDelivery: (d) => d.ack(),
      onLost: (why) => events.push(why),
      onRecovered: () => events.push('recovered'),
    });
    await expect(consumers.consume(unique('missing'), { onDelivery: () => {} })).rejects.toMatchObject({
      code: 'no-queue',
    });
    await eventually(() => events.includes('recovered'), 'the neighbour recovers');
    expect(events).toEqual(['channel', 'recovered']);
  });

  it('on a missing queue is refused alone, among many asked for at once', async () => {
    const broker = await openBroker();
    const queues = Array.from({ length: 10 }, () => unique('beside'));
    for (const queue of queues) await makeQueue(broker, queue);
    const consumers = broker.consumers({ channels: 1 });
    let received = 0;
    const onDelivery = (d: Delivery) => {
      received++;
      d.ack();
    };
    const asked = [...queues.slice(0, 5), unique('missing'), ...queues.slice(5)];
    const outcomes = await Promise.allSettled(asked.map((queue) => consumers.consume(queue, { onDelivery })));
    expect(outcomes.map(({ status }) => status)).toEqual(
      asked.map((_, i) => (i === 5 ? 'rejected' : 'fulfilled')),
    );
    expect(outcomes[5]).toMatchObject({ reason: { code: 'no-queue' } });
    const publisher = broker.publisher();
    for (const queue of queues) await publisher.publish('', queue, 'x');
    await eventually(() => received === 10, 'the others consume');
  });

  it('recovers when its connection is lost while many wait for their answers', async () => {
    const onlooker = await openBroker();
    const { broker, proxy } = await openProxied();
    const [opener = '', ...queues] = Array.from({ length: 11 }, () => unique('lost'));
    for (const queue of [opener, ...queues]) await makeQueue(onlooker, queue);
    const consumers = broker.consumers({ channels: 1 });
    await consumers.consume(opener, { onDelivery: (d) => d.ack() });
    proxy.pauseAnswers();
    const consuming = queues.map((queue) => consumers.consume(queue, { onDelivery: (d) => d.ack() }));
    await eventually(
      async () =>
        ((await onlooker.topology({ channels: 1 }).checkQueue(queues[0] ?? ''))?.consumers ?? 0) > 0,
      'the broker has been asked',
    );
    proxy.cut();
    const active = await Promise.all(consuming);
    expect(active.map(({ state }) => state)).toEqual(queues.map(() => 'active'));
  });

  it('holds no more than its own prefetch, its neighbours theirs', async () => {
    const broker = await openBroker();
    const queues = [unique('small'), unique('default')] as const;
    const publisher = broker.publisher();
    const held = [0, 0];
    const consumers = broker.consumers({ channels: 1, prefetch: 10 });
    for (const [index, queue] of queues.entries()) {
      await makeQueue(broker, queue);
      await Promise.all(Array.from({ length: 30 }, () => publisher.publish('', queue, 'x')));
      await consumers.consume(queue, {
        onDelivery: () => {
          held[index] = (held[index] ?? 0) + 1;
        },
        ...(index === 0 ? { prefetch: 3 } : {}),
      });
    }
    await eventually(() => held[0] === 3 && held[1] === 10, 'each has its own number');
    const topology = broker.topology();
    expect((await topology.checkQueue(queues[0]))?.messages).toBe(27);
    expect((await topology.checkQueue(queues[1]))?.messages).toBe(20);
  });
});

describe('topology channels', () => {
  it('answer undefined for a missing queue and fail none of the operations around it', async () => {
    const broker = await openBroker();
    const topology = broker.topology({ channels: 2 });
    const queue = unique('exists');
    await makeQueue(broker, queue);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => topology.checkQueue(i % 4 === 0 ? unique('missing') : queue)),
    );
    expect(answers.map((a) => a !== undefined)).toEqual(Array.from({ length: 40 }, (_, i) => i % 4 !== 0));
  });

  it('take a queue with other arguments as it is, and say so', async () => {
    const log = new LogMemory();
    const broker = await openBroker({ log });
    const queue = unique('other-arguments');
    await makeQueue(broker, queue, { 'x-expires': 50_000 });
    const topology = broker.topology();
    const redeclare = () => topology.declareQueue({ name: queue, arguments: { 'x-expires': 40_000 } });
    expect(await redeclare()).toEqual({ messages: 0, consumers: 0, asIs: true });
    expect(await redeclare()).toMatchObject({ asIs: true });
    expect(log.has('queue differs, used as it is')).toBe(true);
  });

  it('bind and unbind, and refuse a missing exchange', async () => {
    const broker = await openBroker();
    const [queue, exchange] = [unique('bound'), unique('exchange')];
    await makeQueue(broker, queue);
    await broker.declare({
      exchanges: [{ name: exchange, type: 'topic', durable: false, autoDelete: true }],
    });
    const topology = broker.topology();
    const publisher = broker.publisher();
    await topology.bind(queue, exchange, 'a.*');
    expect(await publisher.publish(exchange, 'a.b', 'x', { mandatory: true })).toBe('routed');
    await expect(topology.bind(queue, unique('missing'), 'a')).rejects.toMatchObject({ code: 'no-queue' });
    await topology.bind(queue, exchange, 'b.*');
    await topology.unbind(queue, exchange, 'a.*');
    expect(await publisher.publish(exchange, 'a.b', 'x', { mandatory: true })).toBe('unrouted');
  });

  it('refuse arguments that cannot be encoded and keep working', async () => {
    const broker = await openBroker();
    const topology = broker.topology({ channels: 1 });
    const bad = { name: unique('bad'), arguments: { f: () => {} } };
    await expect(topology.declareQueue(bad)).rejects.toMatchObject({ code: 'topology-refused' });
    expect(await topology.checkQueue(unique('missing'))).toBeUndefined();
  });
});

/** Publishes with headers nested `depth` deep, from a thread with stack enough to write them. */
async function publishNested(queue: string, depth: number): Promise<void> {
  const worker = new Worker(
    `const { workerData: { url, queue, depth } } = require('node:worker_threads');
    import('@evenkeel/broker').then(async ({ Broker }) => {
      let nested = null;
      for (let n = 0; n < depth; n++) nested = [nested];
      const broker = await Broker.connect({ url, name: 'nested', attempts: 1 });
      await broker.publisher().publish('', queue, 'nested', { headers: { nested } });
      await broker.close();
    });`,
    { eval: true, workerData: { url: inject('amqpUrl'), queue, depth }, resourceLimits: { stackSizeMb: 64 } },
  );
  const [status] = await once(worker, 'exit');
  expect(status).toBe(0);
}

describe('a message whose headers are nested thousands deep', () => {
  it('is dropped and told of; what is before and behind it arrives over the same connection', async () => {
    const log = new LogMemory();
    const broker = await openBroker({ log });
    const queue = unique('nested');
    await makeQueue(broker, queue);
    const losses: string[] = [];
    broker.on('lost', (why) => losses.push(why));
    const seen: string[] = [];
    const consumer = await broker.consumers({ channels: 1 }).consume(queue, {
      onDelivery: (d) => {
        seen.push(d.body.toString());
        d.ack();
      },
    });
    const publisher = broker.publisher();
    await publisher.publish('', queue, 'before');
    await publishNested(queue, 12_000);
    await publisher.publish('', queue, 'behind');
    await eventually(() => seen.length === 2, 'both arrive');
    expect(seen).toEqual(['before', 'behind']);
    expect(losses).toEqual([]);
    expect(log.has('message dropped: its headers are nested too deep to be read')).toBe(true);
    expect(await consumer.barrier()).toMatchObject({ messages: 0 });
  });
});
