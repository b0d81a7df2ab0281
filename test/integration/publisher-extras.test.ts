import { Broker, type Delivery } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import { createPublisher, type Publisher, type Receipt } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { askToMove } from '../support/asked-move.js';
import { freshVhost } from '../support/broker.js';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';

const patience = { timeout: 20_000, interval: 20 };

describe('what is said of an event beside its payload', () => {
  let publisher: Publisher;
  let broker: Broker;

  beforeAll(async () => {
    const { amqpUrl, urlFor } = await freshVhost();
    publisher = await createPublisher({ amqpUrl: urlFor('app-shop'), name: 'shop', attempts: 3 });
    broker = await Broker.connect({ url: amqpUrl, name: 'test', attempts: 3 });
  });
  afterAll(async () => {
    await publisher?.close();
    await broker?.close();
  });

  /** What a queue that is bound so gets. */
  async function bound(...keys: string[]): Promise<Delivery[]> {
    const queue = `test.${Math.random().toString(36).slice(2)}`;
    const topology = broker.topology();
    await topology.declareQueue({ name: queue, durable: true });
    for (const key of keys) await topology.bind(queue, 'mesh.events', key);
    const got: Delivery[] = [];
    await broker.consumers().consume(queue, {
      onDelivery: (delivery) => {
        got.push(delivery);
        delivery.ack();
      },
    });
    return got;
  }

  it('goes in the properties and headers that edges heed, beside those of the application', async () => {
    const got = await bound('user.alice.#', 'topic.table');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await publisher.toUser('alice', 'x', 1, {
      expirationMs: 600_000,
      onlyOnline: true,
      collapse: 'order-7',
      traceparent,
      headers: { 'x-shop': 'harbour' },
    });
    await publisher.toUser('alice', 'x', 2, { onlyOnline: false });
    await publisher.toTopic('table', new Uint8Array(), { key: 'tea' });
    await eventually('all', () => got.length === 3);
    const [first, plain, deletion] = got.map(({ properties }) => properties.headers);
    expect(first).toMatchObject({
      'evenkeel-only-online': true,
      'evenkeel-collapse': 'order-7',
      traceparent,
      'x-shop': 'harbour',
    });
    expect(got[0]?.properties).toMatchObject({ expiration: '600000' });
    expect(Object.keys(plain ?? {})).toEqual(['evenkeel-at']);
    expect(deletion).toMatchObject({ 'evenkeel-key': 'tea' });
    expect(got[2]?.body).toHaveLength(0);
  });

  it('that can never work is refused before anything is sent', async () => {
    const got = await bound('user.alice.#', 'topic.#');
    const refused = { code: 'bad-option' };
    for (const options of [{ expirationMs: -1 }, { expirationMs: 1.5 }, { collapse: '' }, { onReceipt: 7 }])
      await expect(publisher.toUser('alice', 'x', 1, options as never)).rejects.toMatchObject(refused);
    await expect(publisher.toTopic('table', 1, { key: '' })).rejects.toMatchObject(refused);
    await expect(
      publisher.batch([
        { user: 'alice', event: 'x', payload: 1 },
        { topic: 'a.*', payload: 1 },
      ]),
    ).rejects.toMatchObject({ code: 'bad-name' });
    await expect(publisher.batch('x' as never)).rejects.toMatchObject(refused);
    await publisher.toTopic('table', 'sent');
    await eventually('the last', () => got.length > 0);
    expect(got.map(({ key }) => key)).toEqual(['topic.table']);
  });

  it('a batch is sent in its order, an event to many users as few messages, each to every user once', async () => {
    const users = range(1, 300).map((n) => `user-${n}`);
    const got = await bound('user.alice.#', 'topic.prices.#', 'user.*.sale');
    const results = await publisher.batch([
      { user: 'alice', event: 'order', payload: 1, options: { id: 'mine' } },
      { users: [...users, 'user-1'], event: 'sale', payload: 2 },
      { topic: 'prices.tea', payload: 3, options: { key: 'tea' } },
      { user: 'nobody', event: 'x', payload: 4 },
    ]);
    await eventually('the last', () => got.some(({ key }) => key === 'topic.prices.tea'));
    expect(got.map(({ body }) => body.toString())).toEqual(['1', '2', '2', '3']);
    const keys = got
      .slice(1, 3)
      .flatMap(({ key, properties }) => [key, ...(properties.headers.CC as string[])]);
    expect(keys).toEqual(users.map((user) => `user.${user}.sale`));
    expect(results.map(({ routed }) => routed)).toEqual([true, true, true, false]);
    expect(results[0]?.ids).toEqual(['mine']);
    expect(results[1]?.ids).toEqual([got[1]?.properties.messageId, got[2]?.properties.messageId]);
  });
});

it('a publisher that asks for it has one receipt of each session that has handled its event, also over a move', async () => {
  const mesh = await startTestMesh({ edges: 2, balancer: false, env: { EVENKEEL_REACHABILITY_URL: 'off' } });
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  onTestFinished(() => publisher.close());
  const connected = async (user: string) => {
    const client = connect({ gateway: mesh.gatewayUrl, user, storage: false, ackAfterMs: 5 });
    onTestFinished(() => client.close());
    await client.ready();
    return client;
  };
  const [one, other, bob] = await Promise.all(['alice', 'alice', 'bob'].map(connected));
  if (!one || !other || !bob) throw new Error('unreachable');
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handled: unknown[] = [];
  one.on('n', async ({ data }) => {
    if (data === 5) await held;
    handled.push(data);
  });
  other.on('n', () => {});
  bob.on('n', () => {});

  const receipts: Receipt[] = [];
  const onReceipt = (receipt: Receipt) => void receipts.push(receipt);
  const of = (session: string | undefined) => receipts.filter((each) => each.session === session);
  const sent: string[] = [];
  const publish = async (from: number, to: number) => {
    for (const n of range(from, to)) sent.push((await publisher.toUser('alice', 'n', n, { onReceipt })).id);
  };
  await publish(1, 10);
  await publisher.toUser('alice', 'n', 'without');
  await vi.waitUntil(() => of(other.session).length === 10, patience);
  // What is not handled yet has none.
  expect(of(one.session).length).toBeLessThanOrEqual(4);

  const from = one.node;
  await askToMove(mesh, 'alice', one as never);
  await vi.waitUntil(() => one.node !== from, patience);
  await publish(11, 20);
  release();
  await vi.waitUntil(() => of(one.session).length >= 20 && of(other.session).length >= 20, patience);
  const { id: shared } = await publisher
    .batch([{ users: ['alice', 'bob'], event: 'n', payload: 'both', options: { onReceipt } }])
    .then(([result]) => ({ id: result?.ids[0] }));
  await vi.waitUntil(() => receipts.filter(({ id }) => id === shared).length === 3, patience);
  for (const { session } of [one, other]) {
    expect(of(session).map(({ id }) => id)).toEqual([...sent, shared]);
    for (const { user, at } of of(session)) {
      expect(user).toBe('alice');
      expect(Math.abs(at - Date.now())).toBeLessThan(120_000);
    }
  }
  expect(of(bob.session)).toMatchObject([{ id: shared, user: 'bob' }]);
  expect(handled).toEqual([...range(1, 10), 'without', ...range(11, 20), 'both']);
}, 60_000);

it('a handler of receipts that throws is logged, and hears of the next', async () => {
  const mesh = await startTestMesh({ edges: 1, balancer: false, env: { EVENKEEL_REACHABILITY_URL: 'off' } });
  const errors: unknown[] = [];
  const log = { info() {}, warn() {}, error: (fields: object) => errors.push(fields) };
  const publisher = await createPublisher({
    amqpUrl: mesh.urlFor('app-shop'),
    name: 'shop',
    log: log as never,
  });
  onTestFinished(() => publisher.close());
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice', ackAfterMs: 5 });
  onTestFinished(() => client.close());
  client.on('n', () => {});
  await client.ready();
  const heard: string[] = [];
  const onReceipt = ({ id }: Receipt) => {
    heard.push(id);
    throw new Error('mine');
  };
  await publisher.toUser('alice', 'n', 1, { id: 'first', onReceipt });
  await publisher.toUser('alice', 'n', 2, { id: 'second', onReceipt });
  await vi.waitUntil(() => heard.length === 2 && errors.length === 2, patience);
  expect(heard).toEqual(['first', 'second']);
});
