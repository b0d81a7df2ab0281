import { describe, expect, it } from 'vitest';
import { rabbitmqctl } from '../support/broker.js';
import { eventually, makeQueue, openBroker, openProxied, unique } from './broker-fixture.js';

describe('a publisher', () => {
  it('keeps order and loses nothing across cuts, repeats carrying the same id', async () => {
    const { broker, proxy } = await openProxied();
    const observer = await openBroker();
    const queue = unique('order');
    await makeQueue(observer, queue);
    const seen: string[] = [];
    await observer.consumers({ prefetch: 1000 }).consume(queue, {
      onDelivery: (d) => {
        seen.push(d.properties.messageId ?? '');
        d.ack();
      },
    });
    const publisher = broker.publisher({ window: 64, maxQueued: 20_000 });
    const total = 6000;
    const outcomes: Promise<string>[] = [];
    for (let i = 0; i < total; i++) {
      outcomes.push(publisher.publish('', queue, `body ${i}`, { messageId: `m${i}`, persistent: true }));
      if (i % 100 === 0) await new Promise(setImmediate);
      if (i === 1000 || i === 2500 || i === 4000) {
        await eventually(() => seen.length > i / 2, 'traffic flows');
        proxy.cut();
      }
    }
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['routed']));
    await eventually(() => new Set(seen).size === total, 'everything arrives');
    const firsts = [...new Set(seen)];
    expect(firsts).toEqual(Array.from({ length: total }, (_, i) => `m${i}`));
    expect(proxy.accepted).toBe(4);
    expect(publisher.outstanding).toBe(0);
  });

  it('waits while the broker is away and publishes when it is back', async () => {
    const { broker, proxy } = await openProxied();
    const queue = unique('away');
    await makeQueue(broker, queue);
    const publisher = broker.publisher();
    proxy.refuse();
    proxy.cut();
    await eventually(() => broker.state === 'connecting', 'the loss is noticed');
    const publishing = publisher.publish('', queue, 'later');
    expect(publisher.outstanding).toBe(1);
    proxy.allow();
    expect(await publishing).toBe('routed');
  });

  it('never delivers later what it has reported as failed, of messages that say how long their sender waits', async () => {
    const { broker, proxy } = await openProxied();
    const observer = await openBroker();
    const queue = unique('expiring');
    await makeQueue(observer, queue);
    const publisher = broker.publisher();
    const seen: string[] = [];
    proxy.refuse();
    proxy.cut();
    await eventually(() => broker.state === 'connecting', 'the loss is noticed');
    const failed = publisher.publish('', queue, 'failed', {}, 200);
    await expect(failed).rejects.toMatchObject({ code: 'publish-timeout' });
    proxy.allow();
    // In order: whatever was before it is there by then.
    await publisher.publish('', queue, 'after');
    await observer.consumers().consume(queue, {
      onDelivery: (d) => {
        seen.push(d.body.toString());
        d.ack();
      },
    });
    await eventually(() => seen.includes('after'), 'the later one arrives');
    expect(seen).toEqual(['after']);
  });

  it('lets a message expire in its queue when its sender stops waiting', async () => {
    const broker = await openBroker();
    const queue = unique('expired');
    await makeQueue(broker, queue);
    const topology = broker.topology();
    const publisher = broker.publisher();
    await publisher.publish('', unique('nobody'), 'opens the channel');
    expect(await publisher.publish('', queue, 'for a moment', { mandatory: true }, 2_000)).toBe('routed');
    await eventually(async () => (await topology.checkQueue(queue))?.messages === 0, 'expired');
  });

  it('declares the exchanges of its connection again when one of them turns out to be gone', async () => {
    const exchange = unique('exchange');
    const topology = { exchanges: [{ name: exchange, type: 'fanout' as const, durable: false }] };
    const broker = await openBroker({ topology });
    const publisher = broker.publisher();
    await publisher.publish(exchange, '', 'x');
    await rabbitmqctl(
      'eval',
      `rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, <<"${exchange}">>), false, <<"test">>).`,
    );
    await expect(publisher.publish(exchange, '', 'x')).rejects.toMatchObject({ code: 'no-exchange' });
    await eventually(
      () =>
        publisher.publish(exchange, '', 'x').then(
          () => true,
          () => false,
        ),
      'it is there again',
    );
  });

  it('rejects with publish-timeout what is not confirmed in time', async () => {
    const { broker, proxy } = await openProxied();
    const publisher = broker.publisher({ window: 1 });
    await publisher.publish('', unique('nobody'), 'x');
    proxy.pause();
    const late = ['sent', 'waiting'].map((body) => publisher.publish('', 'q', body, {}, 200));
    for (const one of late) await expect(one).rejects.toMatchObject({ code: 'publish-timeout' });
    await publisher.flush();
    proxy.resume();
  });

  it('rejects with publisher-overflow beyond its limit, and takes more when it has drained', async () => {
    const { broker, proxy } = await openProxied();
    const publisher = broker.publisher({ window: 2, maxQueued: 3 });
    await publisher.publish('', 'nobody', 'x');
    proxy.pause();
    const accepted = Array.from({ length: 5 }, () => publisher.publish('', 'nobody', 'x'));
    await expect(publisher.publish('', 'nobody', 'x')).rejects.toMatchObject({ code: 'publisher-overflow' });
    proxy.resume();
    await Promise.all(accepted);
    expect(await publisher.publish('', 'nobody', 'x')).toBe('routed');
  });

  it('tells for each mandatory message whether a queue took it, ids or not', async () => {
    const broker = await openBroker();
    const queue = unique('mandatory');
    await makeQueue(broker, queue);
    const publisher = broker.publisher();
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) =>
        publisher.publish('', i % 3 === 0 ? queue : unique('missing'), `${i}`, {
          mandatory: true,
          messageId: i % 2 === 0 ? `id-${i}` : undefined,
        }),
      ),
    );
    expect(outcomes).toEqual(Array.from({ length: 200 }, (_, i) => (i % 3 === 0 ? 'routed' : 'unrouted')));
    expect(await publisher.publish('', unique('missing'), 'not mandatory')).toBe('routed');
  });

  it('fails a message to a missing exchange alone, the others arrive in order', async () => {
    const broker = await openBroker();
    const queue = unique('no-exchange');
    await makeQueue(broker, queue);
    const seen: string[] = [];
    await broker.consumers().consume(queue, {
      onDelivery: (d) => {
        seen.push(d.body.toString());
        d.ack();
      },
    });
    const publisher = broker.publisher();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => publisher.publish(i === 20 ? unique('gone') : '', queue, `${i}`)),
    );
    expect(outcomes.map((o) => o.status === 'rejected')).toEqual(
      Array.from({ length: 50 }, (_, i) => i === 20),
    );
    expect(outcomes[20]).toMatchObject({ reason: { code: 'no-exchange' } });
    const expected = Array.from({ length: 50 }, (_, i) => `${i}`).filter((body) => body !== '20');
    await eventually(() => new Set(seen).size === expected.length, 'the others arrive');
    expect([...new Set(seen)]).toEqual(expected);
  });

  it('finds the one message the broker refuses among many', async () => {
    const broker = await openBroker();
    const queue = unique('refused');
    await makeQueue(broker, queue);
    const publisher = broker.publisher();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        publisher.publish('', queue, `${i}`, { userId: i === 11 ? 'somebody-else' : undefined }),
      ),
    );
    expect(outcomes.map((o) => o.status === 'rejected')).toEqual(
      Array.from({ length: 30 }, (_, i) => i === 11),
    );
    expect(outcomes[11]).toMatchObject({ reason: { code: 'publish-refused' } });
  });

  it('refuses what cannot be encoded without losing its channel', async () => {
    const broker = await openBroker();
    const publisher = broker.publisher();
    await expect(publisher.publish('', 'q', 'x', { headers: { bad: () => {} } })).rejects.toMatchObject({
      code: 'publish-refused',
    });
    expect(await publisher.publish('', 'q', 'x')).toBe('routed');
  });

  it('rejects with publish-nacked what the broker does not take', async () => {
    const broker = await openBroker();
    const queue = unique('full');
    await makeQueue(broker, queue, { 'x-max-length': 1, 'x-overflow': 'reject-publish' });
    const publisher = broker.publisher();
    await publisher.publish('', queue, 'fits');
    await expect(publisher.publish('', queue, 'does not')).rejects.toMatchObject({ code: 'publish-nacked' });
  });

  it('carries every property to the consumer unchanged', async () => {
    const broker = await openBroker();
    const queue = unique('properties');
    await makeQueue(broker, queue);
    const properties = {
      messageId: 'id-1',
      timestamp: 1_700_000_000,
      headers: { traceparent: '00-ab-cd-01', n: 7 },
      contentType: 'application/json',
      contentEncoding: 'utf-8',
      correlationId: 'c',
      replyTo: 'r',
      type: 't',
      appId: 'a',
      expiration: '60000',
    };
    await broker.publisher().publish('', queue, '{}', { ...properties, mandatory: true });
    let received: object | undefined;
    await broker.consumers().consume(queue, {
      onDelivery: (d) => {
        received = { ...d.properties };
        d.ack();
      },
    });
    expect(await eventually(() => received, 'it arrives')).toMatchObject(properties);
    expect(received).toHaveProperty('headers', properties.headers);
  });
});
