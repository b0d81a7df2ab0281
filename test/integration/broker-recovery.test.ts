import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Broker, BrokerError, type Delivery } from '@evenkeel/broker';
import { TcpProxy } from '@evenkeel/testkit';
import { connect } from 'amqplib';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually, LogMemory, makeQueue, openBroker, openProxied, unique } from './broker-fixture.js';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('connecting', () => {
  it('fails at once on wrong credentials, without showing the password', async () => {
    const url = new URL(inject('amqpUrl'));
    url.password = 'hush-hush';
    const error = await Broker.connect({ url: url.toString(), name: 'test' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(BrokerError);
    expect(error).toMatchObject({ code: 'broker-refused' });
    expect(String(error)).not.toContain('hush-hush');
  });

  it('fails at once on a virtual host that does not exist', async () => {
    const url = new URL(inject('amqpUrl'));
    url.pathname = '/no-such-host';
    await expect(Broker.connect({ url: url.toString(), name: 'test' })).rejects.toMatchObject({
      code: 'broker-refused',
    });
  });

  it('rejects with broker-unreachable when attempts are used up', async () => {
    const proxy = await TcpProxy.toUrl(inject('amqpUrl'));
    onTestFinished(() => proxy.close());
    proxy.refuse();
    const url = proxy.urlFor(inject('amqpUrl'));
    await expect(Broker.connect({ url, name: 'test', attempts: 2, retryMinMs: 1 })).rejects.toMatchObject({
      code: 'broker-unreachable',
    });
  });

  it('waits for a broker that comes up later', async () => {
    const proxy = await TcpProxy.toUrl(inject('amqpUrl'));
    onTestFinished(() => proxy.close());
    proxy.refuse();
    const log = new LogMemory();
    const url = proxy.urlFor(inject('amqpUrl'));
    const connecting = Broker.connect({ url, name: 'test', log, retryMinMs: 5, retryMaxMs: 20 });
    await eventually(() => log.has('broker connect failed'), 'an attempt has failed');
    proxy.allow();
    const broker = await connecting;
    onTestFinished(() => broker.close());
    expect(broker.state).toBe('open');
  });

  it('gives up when aborted', async () => {
    const proxy = await TcpProxy.toUrl(inject('amqpUrl'));
    onTestFinished(() => proxy.close());
    proxy.refuse();
    const aborting = new AbortController();
    const url = proxy.urlFor(inject('amqpUrl'));
    const connecting = Broker.connect({ url, name: 'test', signal: aborting.signal });
    aborting.abort();
    await expect(connecting).rejects.toMatchObject({
      code: expect.stringMatching(/broker-(closed|unreachable)/),
    });
  });
});

describe('after a lost connection', () => {
  it('nothing keeps what consumed on it, neither a channel that nobody needs nor a delivery that is kept for long', async () => {
    const { broker, proxy } = await openProxied();
    const queue = unique('kept');
    await makeQueue(broker, queue);
    const idle = broker.consumers({ channels: 1, prefetch: 10 });
    await (await idle.consume(queue, { onDelivery: () => {} })).cancel();
    const kept: Delivery[] = [];
    const consumers = broker.consumers({ channels: 1, prefetch: 10 });
    /** Consumes until it is lost and is back, or until it has got something, and not any more. */
    const consumed = async (until: 'lost' | 'delivered'): Promise<WeakRef<object>> => {
      let isBack = false;
      const options = {
        tellsWaits: true,
        onDelivery: (delivery: Delivery) => void kept.push(delivery),
        onRecovered: () => {
          isBack = true;
        },
      };
      const consumer = await consumers.consume(queue, options);
      if (until === 'lost') proxy.cut();
      else await broker.publisher({}).publish('', queue, 'x');
      await eventually(() => (until === 'lost' ? isBack : kept.length > 0), `it is ${until}`);
      await consumer.cancel();
      return new WeakRef(options);
    };
    const gone = [await consumed('lost'), await consumed('delivered')];
    await eventually(() => {
      collectGarbage();
      return gone.every((ref) => ref.deref() === undefined);
    }, 'what consumed is collected');
    expect(kept).toHaveLength(1);
  });

  it('comes back where a connection is lost while the channel that declared its topology is closed', async () => {
    const url = inject('amqpUrl');
    const proxy = await TcpProxy.toUrl(url);
    onTestFinished(() => proxy.close());
    let dialled = 0;
    let lost = 0;
    const dial = async (address: string) => {
      const model = await connect(address);
      // The first start and the first return: each is lost once the broker's answer to the closing is awaited.
      if (dialled++ % 2 === 1) return model;
      const { createChannel } = model;
      model.createChannel = async () => {
        const channel = await createChannel.call(model);
        const { close } = channel;
        channel.close = () => {
          proxy.pauseAnswers();
          setTimeout(() => {
            lost += proxy.cut();
          }, 50);
          return close.call(channel);
        };
        return channel;
      };
      return model;
    };
    const exchange = { name: unique('exchange'), type: 'topic', durable: false, autoDelete: true } as const;
    const broker = await openBroker({
      url: proxy.urlFor(url),
      dial,
      attempts: 5,
      topology: { exchanges: [exchange] },
    });
    expect(lost).toBe(1);
    proxy.cut();
    await eventually(() => broker.state === 'connecting', 'it is lost');
    await eventually(() => broker.state === 'open', 'it is back');
    expect(lost).toBe(2);
  });

  it('re-declares its topology, exclusive queues included, before consumers recover', async () => {
    const { broker, proxy } = await openProxied();
    const [queue, exchange] = [unique('exclusive'), unique('exchange')];
    await broker.declare({
      exchanges: [{ name: exchange, type: 'topic', durable: false, autoDelete: true }],
      queues: [{ name: queue, durable: false, exclusive: true }],
      bindings: [{ queue, exchange, key: 'a.#' }],
    });
    const events: string[] = [];
    broker.on('lost', () => events.push('lost'));
    broker.on('open', () => events.push('open'));
    const bodies: string[] = [];
    const consumer = await broker.consumers({ channels: 2 }).consume(queue, {
      onDelivery: (d) => {
        bodies.push(d.body.toString());
        d.ack();
      },
      onLost: (why) => events.push(`consumer lost: ${why}`),
      onRecovered: () => events.push('consumer recovered'),
    });
    proxy.cut();
    await eventually(() => events.includes('consumer recovered'), 'the consumer is back');
    expect(consumer.state).toBe('active');
    const publisher = broker.publisher();
    expect(await publisher.publish(exchange, 'a.b', 'after', { mandatory: true })).toBe('routed');
    await eventually(() => bodies.includes('after'), 'the message after the cut');
    expect(events.indexOf('consumer lost: channel')).toBeLessThan(events.indexOf('open'));
    expect(events.indexOf('open')).toBeLessThan(events.indexOf('consumer recovered'));
  });

  it('recovers many consumers at the pace given', async () => {
    const { broker, proxy } = await openProxied();
    const count = 60;
    const queues = Array.from({ length: count }, (_, i) => unique(`paced-${i}`));
    await Promise.all(queues.map((queue) => makeQueue(broker, queue)));
    const consumers = broker.consumers({ channels: 4, recoverPerSecond: 100 });
    const recovered: { index: number; atMs: number }[] = [];
    const prepared: number[] = [];
    const turnsAtMs: number[] = [];
    await Promise.all(
      queues.map((queue, index) =>
        consumers.consume(queue, {
          onDelivery: (d) => d.ack(),
          prepare: async () => {
            prepared.push(index);
            turnsAtMs.push(performance.now());
          },
          onRecovered: () => recovered.push({ index, atMs: Date.now() }),
        }),
      ),
    );
    expect(prepared).toEqual([]);
    proxy.cut();
    await eventually(() => recovered.length === count, 'all are back');
    expect(prepared).toHaveLength(count);
    // 60 at 100/s with a burst of 5 take 550 ms.
    const tookMs = Math.max(...turnsAtMs) - Math.min(...turnsAtMs);
    expect(tookMs).toBeGreaterThan(450);
  });

  it('recovers those first that had most to do', async () => {
    const { broker, proxy } = await openProxied();
    const loads = new Map(
      [0, 40, 1, 0, 200, 8].map((events, n) => [unique(`busy-${n}-${events}`), events] as const),
    );
    const consumers = broker.consumers({ channels: 4, recoverPerSecond: 20 });
    const publisher = broker.publisher();
    const turns: number[] = [];
    let came = 0;
    for (const [queue, events] of loads) {
      await makeQueue(broker, queue);
      await consumers.consume(queue, {
        onDelivery: (d) => {
          came += 1;
          d.ack();
        },
        prepare: async () => {
          turns.push(events);
        },
      });
    }
    const published = [...loads].flatMap(([queue, events]) =>
      Array.from({ length: events }, () => publisher.publish('', queue, 'x')),
    );
    await Promise.all(published);
    await eventually(() => came === published.length, 'all have come');
    proxy.cut();
    await eventually(() => turns.length === loads.size, 'all have had their turn');
    expect(turns).toEqual([200, 40, 8, 1, 0, 0]);
  });

  it('retries a consumer whose prepare fails until it succeeds', async () => {
    const { broker, proxy } = await openProxied();
    const queue = unique('prepare');
    await makeQueue(broker, queue);
    let attempts = 0;
    let isRecovered = false;
    await broker.consumers().consume(queue, {
      onDelivery: (d) => d.ack(),
      prepare: async () => {
        if (++attempts < 3) throw new Error('not yet');
      },
      onRecovered: () => {
        isRecovered = true;
      },
    });
    proxy.cut();
    await eventually(() => isRecovered, 'recovered');
    expect(attempts).toBe(3);
  });

  it('notices a frozen broker by heartbeat and recovers when it thaws', async () => {
    const { broker, proxy } = await openProxied({ heartbeatSeconds: 1, connectTimeoutMs: 3_000 });
    const topology = broker.topology({ timeoutMs: 300 });
    const queue = unique('frozen');
    await makeQueue(broker, queue);
    proxy.pause();
    await expect(topology.checkQueue(queue)).rejects.toMatchObject({ code: 'broker-unavailable' });
    await eventually(() => broker.state === 'connecting', 'the loss is noticed');
    proxy.resume();
    await broker.whenOpen(10_000);
    await eventually(
      async () => (await topology.checkQueue(queue).catch(() => undefined)) !== undefined,
      'answers',
    );
  });

  it('retries a topology operation once through the reconnect', async () => {
    const { broker, proxy } = await openProxied();
    const topology = broker.topology();
    const queue = unique('retried');
    await makeQueue(broker, queue);
    proxy.pause();
    const checking = topology.checkQueue(queue);
    proxy.cut();
    proxy.resume();
    expect(await checking).toEqual({ messages: 0, consumers: 0 });
  });
});

describe('closing', () => {
  it('is idempotent and rejects what waits', async () => {
    const broker = await openBroker();
    const [topology, publisher] = [broker.topology(), broker.publisher()];
    await Promise.all([broker.close(), broker.close()]);
    expect(broker.state).toBe('closed');
    await expect(topology.checkQueue('any')).rejects.toMatchObject({ code: 'broker-closed' });
    await expect(publisher.publish('', 'any', 'x')).rejects.toMatchObject({ code: 'broker-closed' });
    await expect(broker.consumers().consume('any', { onDelivery: () => {} })).rejects.toMatchObject({
      code: 'broker-closed',
    });
    await expect(broker.whenOpen()).rejects.toMatchObject({ code: 'broker-closed' });
  });
});

describe('several addresses', () => {
  it('are tried in turn, first and after a loss, until one answers', async () => {
    const given = inject('amqpUrl');
    const [a, b] = await Promise.all([TcpProxy.toUrl(given), TcpProxy.toUrl(given)]);
    onTestFinished(async () => {
      await Promise.all([a.close(), b.close()]);
    });
    a.refuse();
    const broker = await Broker.connect({
      url: `${a.urlFor(given)},${b.urlFor(given)}`,
      name: 'test',
      attempts: 1,
      retryMinMs: 1,
      retryMaxMs: 20,
    });
    onTestFinished(() => broker.close());
    const opened: number[] = [];
    broker.on('open', () => opened.push(1));
    a.allow();
    b.refuse();
    b.cut();
    await eventually(() => opened.length === 1 && broker.state === 'open', 'open by the other address');
  });

  it('of which none answers are all named in the error, without passwords', async () => {
    const url = 'amqp://u:hush@127.0.0.1:1,amqp://u:hush@localhost:1';
    const error = await Broker.connect({ url, name: 'test', attempts: 1 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'broker-unreachable' });
    expect(String(error)).toMatch(/127\.0\.0\.1:1 .*localhost:1 /);
    expect(String(error)).not.toContain('hush');
  });

  it.each(['http://u:hush@localhost', 'localhost:5672', 'amqp://localhost,http://u:hush@localhost'])(
    'that are none of a broker are refused at once: %s',
    async (url) => {
      const error = await Broker.connect({ url, name: 'test' }).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'bad-address' });
      expect(String(error)).not.toContain('hush');
      expect(() => new Broker({ url, name: 'test' })).toThrow(BrokerError);
    },
  );
});
