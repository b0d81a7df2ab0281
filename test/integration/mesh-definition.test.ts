import { type Client, connect, defineMesh, type MeshOf, type Status } from '@evenkeel/client';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const mesh = defineMesh({
  events: { 'order.created': z.object({ number: z.int(), at: z.string().transform((at) => new Date(at)) }) },
  topics: { 'shop.room.*': z.object({ text: z.string() }) },
  requests: { 'shop.price': { data: z.object({ item: z.string() }), reply: z.number() } },
  streams: { 'shop.ask': { data: z.string(), part: z.string() } },
  served: { 'order.confirm': { data: z.object({ order: z.int() }), reply: z.boolean() } },
});
const bad = { code: 'bad-data' };
const at = '2026-01-01T00:00:00.000Z';

let broker: EdgeMesh;
let edge: EdgeUnderTest;
let publisher: Awaited<ReturnType<typeof shop>>;
let untyped: Publisher;

const shop = () => createPublisher({ amqpUrl: broker.urlFor('app-shop'), name: 'shop', mesh });

beforeAll(async () => {
  broker = await EdgeMesh.open();
  edge = await broker.edge('a');
  await balancerOf(broker);
  publisher = await shop();
  untyped = await createPublisher({ amqpUrl: broker.urlFor('app-shop'), name: 'shop' });
  broker.defer(() => publisher.close());
  broker.defer(() => untyped.close());
});
afterAll(() => broker.close());

const placed = (user: string) => {
  const session = new SessionUnderTest(user);
  const { url, node } = edge;
  const placement = async () => ({
    url,
    node,
    ticket: session.ticket(edge),
    session: session.sid,
    expiresInMs: 30_000,
  });
  return { placement, WebSocket, user };
};

/** A client that has the definition, and what it has told. */
async function client(user: string): Promise<{ typed: Client<MeshOf<typeof mesh>>; told: Status[] }> {
  const typed = connect({ ...placed(user), mesh });
  broker.defer(() => typed.close());
  const told: Status[] = [];
  typed.onStatus((status) => told.push(status));
  return { typed, told };
}
const wrongOnes = (told: Status[]) => told.filter((each) => each.type === 'bad-data');

describe('one definition for clients and services', () => {
  it('hands on events that are as defined, tells of others once, and acknowledges both', async () => {
    const { typed, told } = await client('alice');
    const got: { number: number; at: Date }[] = [];
    for (const _ of [1, 2]) typed.on('order.created', ({ data }) => void got.push(data));
    await typed.ready();
    const receipts: string[] = [];
    const onReceipt = ({ id }: { id: string }) => void receipts.push(id);
    await untyped.toUser('alice', 'order.created', { number: 'seven' }, { id: 'wrong', onReceipt });
    await publisher.toUser('alice', 'order.created', { number: 7, at });
    await untyped.toUser('alice', 'order.created', { number: 8, at }, { id: 'right', onReceipt });
    await eventually('both are acknowledged', () => receipts.length === 2);
    expect(receipts).toEqual(['wrong', 'right']);
    expect(got.map(({ number }) => number)).toEqual([7, 7, 8, 8]);
    expect(got[0]?.at).toEqual(new Date(at));
    expect(wrongOnes(told)).toMatchObject([
      {
        kind: 'event',
        id: 'wrong',
        name: 'order.created',
        error: { ...bad, message: expect.stringContaining('number: ') },
      },
    ]);
    expect(told.map(({ type }) => type)).not.toContain('gap');
  });

  it('hands on messages of topics that are as defined, by name and by pattern', async () => {
    const { typed, told } = await client('bob');
    const got: string[] = [];
    await typed.subscribe('shop.room.42', ({ data }) => void got.push(data.text));
    typed.topic('shop.room.*').on('message', ({ data }) => void got.push(data.text));
    await typed.topic('shop.room.*').ready();
    await untyped.toTopic('shop.room.42', { txt: 'no' });
    await publisher.toTopic('shop.room.42', { text: 'ahoy' });
    await eventually('both handlers have it', () => got.length === 2);
    expect(got).toEqual(['ahoy', 'ahoy']);
    expect(wrongOnes(told)).toMatchObject([{ kind: 'message', name: 'shop.room.42' }]);
  });

  it('answers a request with other data `bad-data` before the handler runs, and one with a wrong reply `service-error`', async () => {
    const seen: unknown[] = [];
    const service = await publisher.serve('shop.price', ({ data }) => {
      seen.push(data);
      return data.item === 'tea' ? 3 : ('dear' as unknown as number);
    });
    const { typed } = await client('carol');
    const bare = connect(placed('dave'));
    broker.defer(() => bare.close());
    expect(await typed.request('shop.price', { item: 'tea' })).toBe(3);
    await expect(bare.request('shop.price', { item: 7 })).rejects.toMatchObject({
      ...bad,
      source: 'service',
    });
    await expect(typed.request('shop.price', { item: 7 as never })).rejects.toMatchObject({
      ...bad,
      source: 'client',
    });
    await expect(bare.request('shop.price', { item: 'gold' })).rejects.toMatchObject({
      code: 'service-error',
    });
    expect(seen).toEqual([{ item: 'tea' }, { item: 'gold' }]);
    await service.stop();
  });

  it('refuses to publish what is not as defined, a batch whole, and nothing is sent', async () => {
    const { typed } = await client('erin');
    const events: string[] = [];
    typed.on('*', ({ id }) => void events.push(id));
    await typed.ready();
    const wrong = { number: 'x' } as never;
    await expect(publisher.toUser('erin', 'order.created', wrong)).rejects.toMatchObject(bad);
    await expect(publisher.toUsers(['erin'], 'order.created', wrong)).rejects.toMatchObject(bad);
    await expect(publisher.toTopic('shop.room.1', { txt: '' } as never)).rejects.toMatchObject(bad);
    await expect(typed.publish('shop.room.1', { txt: '' } as never)).rejects.toMatchObject(bad);
    const batch = publisher.batch([
      { user: 'erin', event: 'order.created', payload: { number: 1, at } },
      { user: 'erin', event: 'order.created', payload: wrong },
    ]);
    await expect(batch).rejects.toMatchObject(bad);
    await publisher.toUser('erin', 'order.created', { number: 2, at });
    await eventually('an event', () => events.length > 0);
    expect(events).toHaveLength(1);
  });

  it('drops at once what a client publishes otherwise, and handles the rest', async () => {
    const seen: string[] = [];
    const service = await publisher.on(
      'shop.room.*',
      ({ data }) => void seen.push((data as { text: string }).text),
    );
    const bare = connect(placed('frank'));
    broker.defer(() => bare.close());
    await bare.publish('shop.room.7', { txt: 'no' });
    await bare.publish('shop.room.7', { text: 'yes' });
    await eventually('a message', () => seen.length > 0);
    expect(seen).toEqual(['yes']);
    expect(service.dropped).toBe(1);
    await service.stop();
  });

  it('checks questions to clients and their answers on both sides', async () => {
    const { typed, told } = await client('grace');
    typed.serve('order.confirm', ({ order }) => (order < 9 ? true : ('maybe' as unknown as boolean)));
    await typed.ready();
    expect(await publisher.ask('grace', 'order.confirm', { order: 7 })).toBe(true);
    await expect(publisher.ask('grace', 'order.confirm', { order: 'x' as never })).rejects.toMatchObject(bad);
    const { session } = typed;
    await expect(untyped.ask('grace', 'order.confirm', { order: 'x' })).rejects.toMatchObject({
      ...bad,
      session,
    });
    await expect(untyped.ask('grace', 'order.confirm', { order: 9 })).rejects.toMatchObject({
      ...bad,
      session,
    });
    expect(wrongOnes(told)).toMatchObject([{ kind: 'question', name: 'order.confirm' }]);
    const bare = connect(placed('heidi'));
    broker.defer(() => bare.close());
    bare.serve('order.confirm', () => 'maybe');
    await bare.ready();
    await expect(publisher.ask('heidi', 'order.confirm', { order: 1 })).rejects.toMatchObject(bad);
    const all = await publisher.ask('heidi', 'order.confirm', { order: 1 }, { want: 'all' });
    expect(all).toMatchObject([{ session: bare.session, error: bad }]);
  });

  it('checks answers in parts where they are made and where they arrive', async () => {
    const service = await publisher.serve('shop.ask', async function* ({ data }) {
      yield `you asked: ${data}`;
      if (data === 'odd') yield 7 as unknown as string;
      yield 'done';
    });
    const { typed } = await client('ivan');
    const parts: string[] = [];
    for await (const part of typed.stream('shop.ask', 'why')) parts.push(part);
    expect(parts).toEqual(['you asked: why', 'done']);
    const odd = typed.stream('shop.ask', 'odd');
    expect((await odd.next()).value).toBe('you asked: odd');
    await expect(odd.next()).rejects.toMatchObject({ code: 'service-error' });
    await expect(typed.stream('shop.ask', 7 as never).next()).rejects.toMatchObject(bad);
    await service.stop();
    const careless = await untyped.serve('shop.odd', async function* () {
      yield 7;
    });
    const other = connect({
      ...placed('judy'),
      mesh: defineMesh({ streams: { 'shop.odd': { part: z.string() } } }),
    });
    broker.defer(() => other.close());
    await expect(other.stream('shop.odd', undefined).next()).rejects.toMatchObject(bad);
    await careless.stop();
  });
});

describe('types of a definition', () => {
  it('say what clients and services give and get, and refuse anything else', () => {
    const use = async (typed: Client<MeshOf<typeof mesh>>, service: typeof publisher) => {
      typed.on('order.created', ({ data }) =>
        expectTypeOf(data).toEqualTypeOf<{ number: number; at: Date }>(),
      );
      expectTypeOf(await typed.request('shop.price', { item: 'tea' })).toBeNumber();
      for await (const part of typed.stream('shop.ask', 'why')) expectTypeOf(part).toBeString();
      await service.toUser('alice', 'order.created', { number: 1, at });
      void service.serve('shop.price', ({ data }) => data.item.length);
      expectTypeOf(await service.ask('alice', 'order.confirm', { order: 1 })).toBeBoolean();
      // @ts-expect-error at is a text on its way
      void service.toUser('alice', 'order.created', { number: 1, at: new Date() });
      // @ts-expect-error no such event
      typed.on('order.creatd', () => {});
      // @ts-expect-error another text
      void typed.publish('shop.room.42', { txt: '' });
      // @ts-expect-error other data
      void typed.request('shop.price', { item: 7 });
      // @ts-expect-error other data
      void typed.stream('shop.ask', 7);
      // @ts-expect-error another answer
      typed.serve('order.confirm', () => 'maybe');
      // @ts-expect-error other data
      void service.ask('alice', 'order.confirm', { order: 'x' });
      // @ts-expect-error another answer
      void service.serve('shop.price', () => 'dear');
      // @ts-expect-error other parts
      void service.serve('shop.ask', async function* () {
        yield 7;
      });
      // @ts-expect-error other data of the topic
      void service.toTopic('shop.room.42', { txt: '' });
      // What is not defined goes as without a definition.
      expectTypeOf(await typed.request('other')).toBeUnknown();
      void typed.publish('other', 1);
      expectTypeOf(await service.ask('alice', 'other')).toBeUnknown();
    };
    expectTypeOf(use).returns.resolves.toBeVoid();
  });
});
