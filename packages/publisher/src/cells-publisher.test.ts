import { expect, it, onTestFinished } from 'vitest';
import { FakeRabbit } from '../testing/fake-rabbit.js';
import { CellMap } from './cell-map.js';
import { createPublisher } from './publisher.js';
import type { CreatePublisherOptions } from './types.js';

const addresses = (cells: Record<string, object>) =>
  Object.fromEntries(
    Object.entries(cells).map(([name, more]) => [name, { amqpUrl: `amqp://${name}`, ...more }]),
  );
const textOf = (cells: Record<string, object>, users: object = {}) =>
  JSON.stringify({ cells: addresses(cells), users });

/** A publisher into cells, each a RabbitMQ that has everything; `down` answer nothing. */
async function make(text: string, down: readonly string[] = [], tls?: CreatePublisherOptions['tls']) {
  const rabbits = new Map<string, FakeRabbit>();
  const cells = new CellMap(text);
  const rabbit = (name: string): FakeRabbit => {
    const found = rabbits.get(name) ?? new FakeRabbit();
    rabbits.set(name, found);
    return found;
  };
  const publisher = await createPublisher({
    cells,
    name: 'shop',
    closeTimeoutMs: 200,
    ...(tls && { tls }),
    log: { debug() {}, info() {}, warn() {}, error() {} },
    dial: async (url) => {
      const name = new URL(url).hostname;
      if (down.includes(name)) throw new Error('connect ECONNREFUSED');
      return await rabbit(name).dial();
    },
  });
  onTestFinished(() => publisher.close());
  return { cells, publisher, published: (name: string) => rabbit(name).published };
}

const users = { alice: 'north', bob: 'south', carol: { cell: 'south', was: 'north' } };

it('what is for a user goes to the cell of the user, while that changes to both, and a topic to all', async () => {
  const { publisher, published } = await make(textOf({ north: {}, south: {}, west: { weight: 0 } }, users));
  const { id } = await publisher.toUser('carol', 'x', 1);
  expect(id).toEqual(expect.any(String));
  await publisher.toUsers(['alice', 'bob', 'alice'], 'x', 1);
  await publisher.toTopic('news', 1);
  await publisher.event({ users: ['alice', 'bob', 'carol'], event: 'y', payload: 1 });
  const results = await publisher.batch([
    { users: ['alice', 'bob'], event: 'z', payload: 1 },
    { topic: 'news', payload: 2 },
    { user: 'bob', event: 'z', payload: 2 },
  ]);
  expect(results.map(({ ids, routed, error }) => [ids.length, routed, error])).toEqual([
    [1, true, undefined],
    [1, true, undefined],
    [1, true, undefined],
  ]);
  expect(published('north')).toEqual([
    'user.carol.x',
    'user.alice.x',
    'topic.news',
    'user.alice.y',
    'user.alice.z',
    'topic.news',
  ]);
  expect(published('south')).toEqual([
    'user.carol.x',
    'user.bob.x',
    'topic.news',
    'user.bob.y',
    'user.bob.z',
    'topic.news',
    'user.bob.z',
  ]);
  expect(published('west')).toEqual(['topic.news', 'topic.news']);
});

it('one id in both cells, so that a client that gets it twice drops one', async () => {
  const { publisher } = await make(textOf({ north: {}, south: {} }, users));
  const { id } = await publisher.toUser('carol', 'x', 1, { id: 'mine' });
  expect(id).toBe('mine');
});

it('a cell that is down keeps its own users waiting, and nobody else', async () => {
  const { publisher, published } = await make(textOf({ north: {}, south: {} }, users), ['south']);
  await publisher.toUser('alice', 'x', 1);
  expect(published('north')).toEqual(['user.alice.x']);
  expect(publisher.readiness()).toMatch(/^cell south: /);
  const topic = publisher.toTopic('news', 1);
  const lost = publisher.toUser('bob', 'x', 1);
  topic.catch(() => {});
  lost.catch(() => {});
  await publisher.toUser('alice', 'x', 2);
  expect(published('north')).toEqual(['user.alice.x', 'topic.news', 'user.alice.x']);
  await publisher.close();
  await expect(lost).rejects.toMatchObject({
    code: 'broker-closed',
    message: expect.stringContaining('cell south'),
  });
  await expect(topic).rejects.toMatchObject({ code: 'broker-closed' });
});

it('follows the map: events go where it says from then on', async () => {
  const { cells, publisher, published } = await make(textOf({ north: {}, south: {} }, { alice: 'north' }));
  await publisher.toUser('alice', 'x', 1);
  cells.update(textOf({ north: {}, south: {} }, { alice: { cell: 'south', was: 'north' } }));
  await publisher.toUser('alice', 'x', 2);
  cells.update(textOf({ south: {}, east: {} }, { alice: 'south' }));
  await publisher.toUser('alice', 'x', 3);
  await publisher.toTopic('news', 1);
  expect(published('north')).toEqual(['user.alice.x', 'user.alice.x']);
  expect(published('south')).toEqual(['user.alice.x', 'user.alice.x', 'topic.news']);
  expect(published('east')).toEqual(['topic.news']);
  expect(() => cells.update('{}')).toThrow('cells takes an object');
  expect(cells.of('alice')).toEqual(['south']);
});

it('a map with an address that its options do not fit changes nothing', async () => {
  const safe = { north: { amqpUrl: 'amqps://north' }, south: { amqpUrl: 'amqps://south' } };
  const { cells, publisher, published } = await make(textOf(safe, { alice: 'north' }), [], {
    serverName: 'mq',
  });
  const plain = { east: { amqpUrl: 'amqps://east' }, west: { amqpUrl: 'amqp://west' } };
  expect(() => cells.update(textOf(plain, { alice: 'west' }))).toThrow('use amqps://');
  expect(cells.of('alice')).toEqual(['north']);
  await publisher.toUser('alice', 'x', 1);
  expect(published('north')).toEqual(['user.alice.x']);
});

it('says within the time that is given that no cell is there', async () => {
  const made = createPublisher({
    cells: new CellMap(textOf({ north: {} })),
    name: 'shop',
    timeoutMs: 50,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    dial: async () => {
      throw new Error('connect ECONNREFUSED');
    },
  });
  await expect(made).rejects.toMatchObject({ code: 'broker-unreachable' });
});
