import { Broker, type PublishProperties } from '@evenkeel/broker';
import { exchanges, inboundKind } from '@evenkeel/protocol';
import { type CreatePublisherOptions, createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freshVhost, rabbitmqctl } from '../support/broker.js';

let broker: Broker;
let amqpUrl: string;
let vhost: string;
let urlFor: (user: string) => string;

beforeAll(async () => {
  ({ amqpUrl, vhost, urlFor } = await freshVhost());
  broker = await Broker.connect({ url: amqpUrl, name: 'test', attempts: 3 });
});
afterAll(() => broker?.close());

/** A publisher that is closed with the test, if the test has not closed it. */
async function started(name: string, options: Partial<CreatePublisherOptions> = {}): Promise<Publisher> {
  const publisher = await createPublisher({ amqpUrl, name, attempts: 3, ...options });
  onTestFinished(() => publisher.close());
  return publisher;
}

let sent = 0;
/** As an edge sends it on; rejects if no queue takes it, as a client's publish does. */
async function publish(key: string, data: unknown, session = 's1', more: PublishProperties = {}) {
  const outcome = await sender().publish(exchanges.inbound, key, JSON.stringify(data), {
    messageId: `alice.${session}.${++sent}`,
    type: 'publish',
    contentType: 'application/json',
    mandatory: true,
    headers: { 'evenkeel-user': 'alice', 'evenkeel-uid': 'alice', 'evenkeel-session': session },
    ...more,
  });
  if (outcome !== 'routed') throw new Error(`no service consumes ${key}`);
}
let made: ReturnType<Broker['publisher']> | undefined;
const sender = () => {
  made ??= broker.publisher();
  return made;
};

/** As a network does that breaks. */
async function closeConnections(name: string): Promise<void> {
  const listed = await rabbitmqctl('list_connections', '-q', 'pid', 'client_properties', 'vhost');
  const lines = listed.split('\n').filter((line) => line.includes(`"${name}"`) && line.includes(vhost));
  for (const line of lines) await rabbitmqctl('close_connection', line.split('\t')[0] ?? '', 'test');
  expect(lines.length).toBeGreaterThan(0);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('what clients have published', () => {
  it('waits while its service restarts, and is handled in order of each session, once', async () => {
    const handled: [string, number][] = [];
    let isClosing = false;
    const handler = async ({ session, data }: { session: string; data: number }) => {
      await eventually('more may be handled', () => isClosing || handled.length < 20);
      handled.push([session, data]);
    };
    const first = await started('shop');
    await first.on<number>('restart', handler, { prefetch: 8 });
    const all = Array.from({ length: 200 }, (_, n) => publish('restart', n, `s${n % 4}`));
    await Promise.all(all);
    const closed = first.close();
    isClosing = true;
    await closed;
    expect(handled.length).toBeLessThan(200);
    const second = await started('shop');
    await second.on<number>('restart', handler);
    await eventually('all', () => handled.length === 200);
    for (const session of ['s0', 's1', 's2', 's3']) {
      const order = handled.flatMap(([of, n]) => (of === session ? [n] : []));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
    expect(new Set(handled.map(([, n]) => n)).size).toBe(200);
  });

  it('is handled once and in order while the service loses its connections', async () => {
    const service = await started('shop');
    const handled: number[] = [];
    await service.on<number>('lossy', async ({ data }) => {
      await pause(3);
      handled.push(data);
    });
    const sending = (async () => {
      for (let n = 0; n < 200; n++) {
        await publish('lossy', n);
        await pause(3);
      }
    })();
    await eventually('it handles', () => handled.length > 20);
    await closeConnections('shop (consuming)');
    await sending;
    await eventually('all', () => handled.length >= 200, 30_000);
    expect(handled).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it('waits so long as the service says, and clients are told that there is none afterwards', async () => {
    const service = await started('shop');
    await service.on('grace', () => {}, { graceMs: 3_000 });
    await service.close();
    await publish('grace', 1);
    await eventually('the queue goes', () =>
      publish('grace', 2).then(
        () => false,
        () => true,
      ),
    );
  });

  it('is handled in order of each session, however long each takes, and sessions side by side', async () => {
    const service = await started('shop');
    const handled: [string, number][] = [];
    let running = 0;
    let most = 0;
    await service.on<number>('order', async ({ session, data }) => {
      most = Math.max(most, ++running);
      await pause(Math.random() * 5);
      running -= 1;
      handled.push([session, data]);
    });
    for (let n = 0; n < 100; n++) void publish('order', n, `s${n % 5}`);
    await eventually('all', () => handled.length === 100);
    for (const session of ['s0', 's1', 's2', 's3', 's4']) {
      const order = handled.flatMap(([of, n]) => (of === session ? [n] : []));
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
    expect(most).toBeGreaterThan(1);
  });

  it('is in the hands of one instance, and goes back to the queue when that one hangs and closes, within its time', async () => {
    const hanging = await started('shop', { closeTimeoutMs: 200 });
    let hung = 0;
    await hanging.on('hang', () => {
      hung += 1;
      return new Promise(() => {});
    });
    await publish('hang', 1);
    await publish('hang', 2);
    await eventually('the handler hangs', () => hung === 1);
    await hanging.close();
    const handled: unknown[] = [];
    const next = await started('shop');
    await next.on('hang', ({ data }) => handled.push(data));
    await eventually('both', () => handled.length === 2);
    expect(handled).toEqual([1, 2]);
  });

  it('goes to every service that listens, and to one instance of each', async () => {
    const handled: string[] = [];
    for (const name of ['shop', 'shop', 'audit']) {
      const service = await started(name);
      await service.on('copies', ({ data }) => handled.push(`${name} ${data}`));
    }
    for (let n = 0; n < 10; n++) await publish('copies', n);
    await eventually('all', () => handled.length === 20);
    expect(new Set(handled).size).toBe(20);
  });
});

describe('a method', () => {
  it('is shared by instances of one name, and refused to a service of another, with the name of the first', async () => {
    const a = await started('till', { amqpUrl });
    const b = await started('till');
    const other = await started('desk');
    await a.serve('taken.sum', () => 1);
    await b.serve('taken.sum', () => 1);
    const refused = { code: 'method-taken', message: expect.stringContaining('"till"') };
    await expect(other.serve('taken.sum', () => 2)).rejects.toMatchObject(refused);
    await a.close();
    await expect(other.serve('taken.sum', () => 2)).rejects.toMatchObject(refused);
    await b.close();
    await expect(other.serve('taken.sum', () => 2)).rejects.toMatchObject(refused);
    const again = await started('till');
    await again.serve('taken.sum', () => 1);
  });

  it('that was refused has left nothing behind that takes requests', async () => {
    const a = await started('till');
    const other = await started('desk');
    await a.serve('taken.clean', () => 1, { graceMs: 0 });
    await expect(other.serve('taken.clean', () => 2)).rejects.toMatchObject({ code: 'method-taken' });
    await a.close();
    await expect(publish('taken.clean', 1)).rejects.toThrow('no service');
  });

  it('is served with the rights of an application, and its queues are kept', async () => {
    const app = await started('shop', { amqpUrl: urlFor('app-shop') });
    await app.serve('shop.rights', () => 1);
    await app.on('shop.rights', () => {});
    await app.authorize('shop.#', () => true);
    await app.close();
    await publish('shop.rights', 1);
  });

  it('is served once by one publisher, and patterns that overlap are told, at once', async () => {
    const service = await started('shop');
    const twice = { code: 'already-served' };
    const first = service.serve('twice.b', () => 1);
    await expect(service.serve('twice.b', () => 2)).rejects.toMatchObject(twice);
    await expect(service.serve('twice.*', () => 2)).rejects.toMatchObject(twice);
    await service.on('twice.b', () => {});
    await expect(service.on('twice.#', () => {})).rejects.toMatchObject(twice);
    const queue = 'service.shop.all-of-twice';
    await service.on('twice.#', () => {}, { queue });
    // Of two consumers of one queue each gets what is for the other.
    await expect(service.on('thrice.#', () => {}, { queue })).rejects.toMatchObject(twice);
    await expect(service.serve('thrice.a', () => 1, { queue })).rejects.toMatchObject(twice);
    await (await first).stop();
    await service.serve('twice.*', () => 2);
  });
});

describe('a queue that is there already', () => {
  it.each([
    ['durable', { durable: true }, {}],
    ['not durable', {}, { durable: true }],
    ['with another grace', { graceMs: 1_000 }, { graceMs: 2_000 }],
  ])('%s is refused where the service asks for something else', async (how, before, after) => {
    const topic = `differs.${how.replaceAll(' ', '-')}`;
    const first = await started('shop');
    await first.on(topic, () => {}, before);
    const second = await started('shop');
    await expect(second.on(topic, () => {}, after)).rejects.toMatchObject({ code: 'queue-differs' });
  });

  it('and is of an earlier version is shared with its instances, and kept once they are gone', async () => {
    const queue = 'service.shop.publish:upgrade';
    const old = await Broker.connect({ url: amqpUrl, name: 'of an earlier version', attempts: 3 });
    onTestFinished(() => old.close());
    // As version 0.1.0-before did it: the queue goes with its last consumer, and is taken as it is.
    const topology = old.topology({ channels: 1 });
    const prepare = async () => {
      await topology.declareQueue({ name: queue, durable: true, autoDelete: true });
      await topology.bind(queue, exchanges.inbound, 'upgrade');
    };
    await prepare();
    const handled: unknown[] = [];
    const before = await old.consumers({ channels: 1 }).consume(queue, {
      prefetch: 1,
      prepare,
      onDelivery: (delivery) => {
        expect(inboundKind(delivery.properties.type, undefined)).toBe('publish');
        setTimeout(() => {
          handled.push(JSON.parse(delivery.body.toString()));
          delivery.ack();
        }, 2);
      },
    });
    for (let n = 0; n < 50; n++) await publish('upgrade', n);
    const now = await started('shop');
    await now.on('upgrade', async ({ data }) => {
      await pause(2);
      handled.push(data);
    });
    const isKept = async () => {
      const listed = await rabbitmqctl('list_queues', '-q', '-p', vhost, 'name', 'auto_delete');
      return /publish:upgrade\s+false/.test(listed);
    };
    for (let n = 50; n < 100; n++) await publish('upgrade', n);
    // While it consumes, the earlier one may have messages in hand.
    await before.cancel();
    await eventually('replaced', isKept, 20_000);
    await now.close();
    await publish('upgrade', 100);
    const next = await started('shop');
    await next.on('upgrade', ({ data }) => handled.push(data));
    await eventually('all', () => new Set(handled).size === 101);
    expect(handled).toHaveLength(101);
  });
});

describe('an address', () => {
  it.each([
    ['without a scheme', 'localhost:5672'],
    ['of another scheme', 'http://127.0.0.1:5672'],
    ['that is empty', ''],
    ['that is no string', undefined],
    ['that is a number', 5672],
  ])('%s is refused at once', async (_how, address) => {
    const options = { amqpUrl: address as string, name: 'shop' };
    await expect(createPublisher(options)).rejects.toMatchObject({ code: 'bad-address' });
  });

  it('that is left out is told how to get it', async () => {
    const refused = createPublisher({ amqpUrl: undefined as unknown as string, name: 'shop' });
    await expect(refused).rejects.toThrow(/amqpUrl is undefined; give the address .*npx evenkeel env/);
  });

  it('where nobody answers is told after the first try, and tried until the time or the signal ends it', async () => {
    const logged: string[] = [];
    const tell = (_fields: object, message: string) => void logged.push(message);
    const log = { debug() {}, info() {}, warn: tell, error: tell };
    const away = { amqpUrl: 'amqp://127.0.0.1:1', name: 'shop', log };
    await expect(createPublisher({ ...away, timeoutMs: 400 })).rejects.toMatchObject({
      code: 'broker-unreachable',
      message: expect.stringContaining('timeoutMs'),
    });
    expect(logged[0]).toBe('broker connect failed');
    const controller = new AbortController();
    const waiting = createPublisher({ ...away, signal: controller.signal });
    await eventually('a second try', () => logged.length > 1);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'broker-closed' });
  });

  it('that is fine does not help a publisher that is closed', async () => {
    const publisher = await started('shop');
    await publisher.close();
    await expect(publisher.serve('late', () => 1)).rejects.toMatchObject({ code: 'broker-closed' });
    await expect(publisher.toUser('alice', 'x', 1)).rejects.toMatchObject({ code: 'broker-closed' });
  });
});
