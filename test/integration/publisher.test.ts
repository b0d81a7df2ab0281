import { Broker, type Delivery } from '@evenkeel/broker';
import { createPublisher, JsonText, type Publisher, ServiceError } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freshVhost } from '../support/broker.js';

let publisher: Publisher;
let broker: Broker;
let amqpUrl: string;

beforeAll(async () => {
  ({ amqpUrl } = await freshVhost());
  publisher = await createPublisher({ amqpUrl, name: 'shop', attempts: 3 });
  broker = await Broker.connect({ url: amqpUrl, name: 'test', attempts: 3 });
});
afterAll(async () => {
  await publisher?.close();
  await broker?.close();
});

/** Everything that a queue of its own, bound so, gets. */
async function bound(exchange: string, key: string): Promise<{ queue: string; got: Delivery[] }> {
  const queue = `test.${Math.random().toString(36).slice(2)}`;
  const topology = broker.topology();
  await topology.declareQueue({ name: queue, durable: true });
  if (exchange !== '') await topology.bind(queue, exchange, key);
  const got: Delivery[] = [];
  await broker.consumers().consume(queue, {
    onDelivery: (d) => {
      got.push(d);
      d.ack();
    },
  });
  return { queue, got };
}

describe('the publisher', () => {
  it('sends directed events in order, with identity, time and type, and tells whether they were routed', async () => {
    const { got } = await bound('mesh.events', 'user.alice.#');
    const sent = await Promise.all([1, 2, 3].map((n) => publisher.toUser('alice', 'order.created', { n })));
    await eventually('all', () => got.length === 3);
    expect(sent.every((s) => s.routed)).toBe(true);
    expect(got.map((d) => JSON.parse(d.body.toString()).n)).toEqual([1, 2, 3]);
    expect(got.map((d) => d.properties.messageId)).toEqual(sent.map((s) => s.id));
    expect(got[0]).toMatchObject({
      key: 'user.alice.order.created',
      properties: { contentType: 'application/json' },
    });
    expect(Math.abs((got[0]?.properties.timestamp ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
    expect((await publisher.toUser('nobody', 'x', 1)).routed).toBe(false);
  });

  it('says what its connections do, and what became of its events and of what clients sent', async () => {
    const counting = await createPublisher({ amqpUrl, name: 'counting', attempts: 3 });
    onTestFinished(() => counting.close());
    await bound('mesh.events', 'user.counted.#');
    await counting.toUser('counted', 'x', 1);
    await counting.toUser('nobody', 'x', 1);
    expect(counting.figures()).toMatchObject({
      connections: { publishing: { isConnected: true, reconnects: 0, unconfirmed: 0, waiting: 0 } },
      published: { routed: 1, unrouted: 1 },
      running: 0,
    });
    expect(counting.figures().connections.consuming).toBeUndefined();
    await counting.serve('counting.x', () => 1);
    expect(counting.figures().connections.consuming).toMatchObject({ isConnected: true, recovering: 0 });
    await counting.close();
    expect(counting.figures().connections.publishing.isConnected).toBe(false);
  });

  it('says of every event that it was routed while a queue is bound to mesh.unrouted, which takes what nobody else does', async () => {
    const { queue, got } = await bound('mesh.unrouted', '');
    expect((await publisher.toUser('nobody', 'unrouted', 1)).routed).toBe(true);
    await eventually('it is there', () => got.some(({ key }) => key === 'user.nobody.unrouted'));
    await broker.topology().deleteQueue(queue);
    expect((await publisher.toUser('nobody', 'unrouted', 1)).routed).toBe(false);
  });

  it('carries a user id that is no routing word, and a topic, and what was set', async () => {
    const { got } = await bound('mesh.events', '#');
    await publisher.toUser('a.*#@b', 'hello', 'text', {
      contentType: 'text/plain',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      id: 'mine',
    });
    await publisher.toTopic('prices.gold', { price: 1 });
    await publisher.toUsers(['u1', 'u2'], 'x', 1);
    await eventually('all', () => got.length === 4);
    expect(got[0]?.key).toMatch(/^user\.~[A-Za-z0-9_-]+\.hello$/);
    expect(got[0]?.properties).toMatchObject({
      messageId: 'mine',
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    expect(got[0]?.body.toString()).toBe('text');
    expect(got.slice(1).map((d) => d.key)).toEqual(['topic.prices.gold', 'user.u1.x', 'user.u2.x']);
  });

  it('refuses what cannot be sent, before it is sent', async () => {
    await expect(publisher.toUser('alice', 'a.#', 1)).rejects.toMatchObject({ code: 'bad-name' });
    await expect(publisher.toUser('', 'a', 1)).rejects.toMatchObject({ code: 'bad-user-id' });
    await expect(publisher.toTopic('a', undefined)).rejects.toMatchObject({ code: 'bad-body' });
    const event = 'e'.repeat(200);
    await expect(publisher.toUser('x'.repeat(60), event, 1)).rejects.toMatchObject({ code: 'key-too-long' });
  });
});

describe('a service', () => {
  interface Fields {
    id?: string;
    type?: string;
    replyTo?: string;
    correlationId?: string;
  }
  const ask = async (key: string, fields: Fields, body = '{"n":2}') =>
    broker.publisher().publish('mesh.inbound', key, body, {
      messageId: fields.id,
      type: fields.type,
      replyTo: fields.replyTo,
      correlationId: fields.correlationId,
      headers: { 'evenkeel-user': 'alice', 'evenkeel-session': 's1' },
      mandatory: true,
    });

  it('answers requests, and errors with their code', async () => {
    const { queue, got } = await bound('', '');
    await publisher.serve<{ n: number }>('sum.*', ({ data, user, method }) => {
      if (method === 'sum.bad') throw new ServiceError('too-bad', 'cannot');
      return { user, twice: data.n * 2 };
    });
    expect(await ask('sum.good', { id: '1', replyTo: queue, correlationId: 'c1' })).toBe('routed');
    await ask('sum.bad', { id: '2', replyTo: queue, correlationId: 'c2' });
    await eventually('both', () => got.length === 2);
    const good = got.find((d) => d.properties.correlationId === 'c1');
    const bad = got.find((d) => d.properties.correlationId === 'c2');
    expect(JSON.parse(good?.body.toString() ?? '')).toEqual({ user: 'alice', twice: 4 });
    expect(bad?.properties).toMatchObject({ correlationId: 'c2', headers: { 'evenkeel-error': 'too-bad' } });
    expect(bad?.body.toString()).toBe('cannot');
  });

  it('gets the JSON as it was sent, and answers and publishes JSON as it was written', async () => {
    const { queue, got } = await bound('', '');
    const text = '{"n": 9007199254740993, "far": 1e400}';
    await publisher.serve('numbers', async ({ json = '' }) => {
      await publisher.toTopic('numbers', new JsonText(json));
      return new JsonText(json);
    });
    const topic = await bound('mesh.events', 'topic.numbers');
    await ask('numbers', { id: 'n', replyTo: queue, correlationId: 'c' }, text);
    await eventually('both', () => got.length + topic.got.length === 2);
    for (const { body, properties } of [...got, ...topic.got])
      expect([body.toString(), properties.contentType]).toEqual([text, 'application/json']);
  });

  it('answers a repeat without handling it again', async () => {
    const { queue, got } = await bound('', '');
    let handled = 0;
    await publisher.serve('once', () => ++handled);
    for (let n = 0; n < 3; n++) await ask('once', { id: 'same', replyTo: queue, correlationId: 'c' });
    await eventually('three answers', () => got.length === 3);
    expect(handled).toBe(1);
    expect(got.map((d) => d.body.toString())).toEqual(['1', '1', '1']);
  });

  it('gets a publish whose handler failed again, three times in all', async () => {
    let handled = 0;
    const handler = () => {
      handled++;
      throw new Error('always');
    };
    const service = await publisher.on('flaky', handler, { retryDelaysMs: [10, 20] });
    await ask('flaky', { id: 'p1' });
    await eventually('dropped', () => service.dropped === 1);
    expect(handled).toBe(3);
  });

  it('gives requests to serve and publishes to on, by their type, though both be called the same', async () => {
    const { queue, got } = await bound('', '');
    const seen: string[] = [];
    const requests = await publisher.serve('both.*', ({ id }) => seen.push(`request ${id}`));
    const publishes = await publisher.on('both.*', ({ id }) => seen.push(`publish ${id}`));
    await ask('both.1', { id: '1', type: 'request', replyTo: queue });
    await ask('both.1', { id: '2', type: 'publish' });
    await ask('both.1', { id: '3', replyTo: queue });
    await ask('both.1', { id: '4' });
    await ask('both.1', { id: '5', type: 'publish', replyTo: queue });
    await ask('both.1', { id: '6', type: 'neither', replyTo: queue });
    await eventually('all seen by both', () => requests.ignored === 4 && publishes.ignored === 3);
    await eventually('two answers', () => got.length === 2);
    await Promise.all([requests.stop(), publishes.stop()]);
    expect(seen.sort()).toEqual(['publish 2', 'publish 4', 'publish 5', 'request 1', 'request 3']);
    expect(got).toHaveLength(2);
  });

  it('that has stopped takes nothing; with no grace, clients are told that there is none', async () => {
    const service = await publisher.serve('short', () => 1, { graceMs: 0 });
    expect(await ask('short', { id: 's1' })).toBe('routed');
    await service.stop();
    expect(await ask('short', { id: 's2' })).toBe('unrouted');
  });
});
