import { Broker } from '@evenkeel/broker';
import { Mesh, PresenceCopy } from '@evenkeel/mesh';
import { exchanges } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import type { RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const NAMESPACES = JSON.stringify({ namespaces: { room: { presence: true }, club: { presence: 'claim' } } });
const waiting = { timeout: 12_000, interval: 25 };

let mesh: EdgeMesh;
let edges: EdgeUnderTest[];

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edges = await Promise.all(['edge-1', 'edge-2', 'edge-3'].map((node) => mesh.edge(node, { NAMESPACES })));
});
afterAll(() => mesh.close());

const at = (n: number): EdgeUnderTest => edges[n] as EdgeUnderTest;

/** Asks who is there; the answer's `data`. */
let asked = 0;
async function whoIsIn(
  client: RawClient,
  topic: string,
): Promise<{ count: number; users?: { user: string }[] }> {
  asked += 1;
  const id = `who-${asked}`;
  client.send({ t: 'presence', id, topic });
  const { data } = await client.frame('ok', ({ re }) => re === id);
  return data as { count: number; users?: { user: string }[] };
}

/** What an observer was told of a topic, in order: `+user`, `-user`. */
const told = (client: RawClient, topic: string): string[] =>
  client.frames
    .filter((frame) => frame.t === 'presence' && frame.topic === topic)
    .flatMap(({ joined, left }) => [
      ...(joined as { user: string }[]).map(({ user }) => `+${user}`),
      ...(left as string[]).map((user) => `-${user}`),
    ]);

async function observer(edge: EdgeUnderTest, topic: string): Promise<RawClient> {
  return await new SessionUnderTest('watcher').attach(edge, { topics: [{ topic, presence: true }] });
}

test('a client is told who joins and leaves on any edge, with what they say of themselves, and may ask', async () => {
  const topic = 'room.told';
  const watcher = await observer(at(0), topic);
  const info = { name: 'Ann' };
  const ann = await new SessionUnderTest('ann').attach(at(1), { topics: [topic], info });
  const joined = await watcher.frame('presence', (f) => JSON.stringify(f.joined).includes('"ann"'));
  expect(joined).toMatchObject({ topic, left: [] });
  // The watcher's own coming may be told with it.
  expect(joined.joined).toContainEqual({ user: 'ann', info });
  const { users = [], count } = await whoIsIn(watcher, topic);
  expect(count).toBe(2);
  expect(users).toContainEqual({ user: 'ann', sessions: 1, since: expect.any(Number), info });
  ann.send({ t: 'unsubscribe', id: 'u', topic });
  await vi.waitUntil(() => told(watcher, topic).includes('-ann'), waiting);
  expect(told(watcher, topic).filter((each) => each.includes('ann'))).toEqual(['+ann', '-ann']);
});

test('moves, a reload within the grace, and a second session are not seen; an end is', async () => {
  const topic = 'room.moves';
  const watchers = await Promise.all([0, 1, 2].map((n) => observer(at(n), topic)));
  const session = new SessionUnderTest('bob');
  let client = await session.attach(at(0), { topics: [topic] });
  for (const watcher of watchers) await vi.waitUntil(() => told(watcher, topic).includes('+bob'), waiting);
  for (let n = 0; n < 6; n += 1) {
    const [from, to] = [at(n % 3), at((n + 1) % 3)];
    const move = await mesh.askToMove(session, client, from, to);
    const next = await session.open(to, { move: `m${n}`, from: from.node });
    next.send({ t: 'hello', resume: true, topics: [topic] });
    await next.frame('welcome');
    expect(move.url).toBe(to.url);
    client.close();
    client = next;
  }
  // Who goes at the same moment and stays away: once that is told, so would be what is told of bob.
  const leaver = await new SessionUnderTest('leaver').attach(at(0), { topics: [topic] });
  for (const watcher of watchers) await vi.waitUntil(() => told(watcher, topic).includes('+leaver'), waiting);
  client.close();
  leaver.close();
  client = await session.attach(at(1), { resume: true, topics: [topic] }, { from: at(0).node });
  for (const watcher of watchers) {
    await vi.waitUntil(() => told(watcher, topic).includes('-leaver'), waiting);
    expect(told(watcher, topic).filter((each) => each.includes('bob'))).toEqual(['+bob']);
    expect((await whoIsIn(watcher, topic)).users?.map(({ user }) => user).sort()).toEqual(['bob', 'watcher']);
  }
  client.send({ t: 'bye' });
  for (const watcher of watchers) await vi.waitUntil(() => told(watcher, topic).includes('-bob'), waiting);
});

test('who may not subscribe may not ask, and what is not kept is said', async () => {
  const client = await new SessionUnderTest('cid').attach(at(0), { info: { role: 'admin' } });
  client.send({ t: 'presence', id: '1', topic: 'prices.eur' });
  expect(await client.frame('error', ({ re }) => re === '1')).toMatchObject({ code: 'no-presence' });
  client.send({ t: 'presence', id: '2', topic: 'room.*' });
  expect(await client.frame('error', ({ re }) => re === '2')).toMatchObject({ code: 'bad-topic' });
  client.send({ t: 'subscribe', id: '3', topic: 'club.x' });
  await client.frame('ok', ({ re }) => re === '3');
  const { users } = await whoIsIn(client, 'club.x');
  expect(users).toEqual([{ user: 'cid', sessions: 1, since: expect.any(Number) }]);
});

test('members of an edge that is killed are gone within 10 s', async () => {
  const topic = 'room.killed';
  const doomed = await mesh.edge('edge-doomed', { NAMESPACES });
  const watcher = await observer(at(0), topic);
  await new SessionUnderTest('dan').attach(doomed, { topics: [topic] });
  await vi.waitUntil(() => told(watcher, topic).includes('+dan'), waiting);
  await doomed.member.kill();
  await vi.waitUntil(() => told(watcher, topic).includes('-dan'), { ...waiting, timeout: 10_000 });
});

test('an edge that has just started answers with everybody who is there, on whatever edge', async () => {
  const topic = 'room.late';
  const there = ['gil', 'hal', 'ivy'];
  await Promise.all(there.map((user, n) => new SessionUnderTest(user).attach(at(n), { topics: [topic] })));
  const late = await mesh.edge('edge-late', { NAMESPACES });
  const watcher = await observer(late, topic);
  const { count, users = [] } = await whoIsIn(watcher, topic);
  expect(users.map(({ user }) => user).sort()).toEqual([...there, 'watcher']);
  expect(count).toBe(4);
});

test('an application asks over AMQP whether a user is online, since when, and who is in a topic', async () => {
  const session = new SessionUnderTest('eve');
  const client = await session.attach(at(1), { topics: ['room.asked'] });
  const broker = await Broker.connect({ url: mesh.urlFor('app-shop'), name: 'shop', attempts: 5 });
  mesh.defer(() => broker.close());
  const topology = broker.topology();
  await topology.declareQueue({ name: 'service.shop.answers', durable: false, exclusive: true });
  await topology.bind('service.shop.answers', exchanges.presence, 'answer.shop.#');
  const answers = new Map<string, Record<string, unknown>>();
  await broker.consumers({ channels: 1, prefetch: 10 }).consume('service.shop.answers', {
    onDelivery: (delivery) => {
      delivery.ack();
      answers.set(delivery.properties.correlationId ?? '', JSON.parse(delivery.body.toString('utf8')));
    },
  });
  const publisher = broker.publisher();
  const ask = async (key: string): Promise<Record<string, unknown>> => {
    asked += 1;
    const correlationId = `${asked}`;
    await publisher.publish(exchanges.presence, key, '', { replyTo: 'answer.shop.1', correlationId });
    await vi.waitUntil(() => answers.has(correlationId), waiting);
    return answers.get(correlationId) ?? {};
  };
  const online = await ask('ask.user.eve');
  expect(online).toMatchObject({ user: 'eve', online: true, complete: true });
  expect(online.sessions).toEqual([{ session: session.sid, node: 'edge-2', since: online.since }]);
  await vi.waitUntil(async () => (await ask('ask.topic.room.asked')).count === 1, waiting);
  await mesh.askToMove(session, client, at(1), at(2));
  const next = await session.open(at(2), { move: 'm', from: at(1).node });
  next.send({ t: 'hello', resume: true, topics: ['room.asked'] });
  await next.frame('welcome');
  const moved = await ask('ask.user.eve');
  expect([moved.online, moved.since]).toEqual([true, online.since]);
  next.send({ t: 'bye' });
  await vi.waitUntil(async () => (await ask('ask.user.eve')).online === false, waiting);
  expect(await ask('ask.user.nobody')).toEqual({
    user: 'nobody',
    online: false,
    sessions: [],
    complete: expect.any(Boolean),
  });
});

test('a publisher asks whether a user is online, on how many sessions and since when, and who is in a topic', async () => {
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  mesh.defer(() => publisher.close());
  const sessions = [new SessionUnderTest('zoë@x'), new SessionUnderTest('zoë@x')];
  const beforeMs = Date.now();
  await Promise.all(sessions.map((session, n) => session.attach(at(n), { topics: ['room.online'] })));
  const online = await publisher.online('zoë@x');
  expect(online).toMatchObject({ user: 'zoë@x', online: true, complete: true });
  expect(online.sessions.map(({ session }) => session).sort()).toEqual(sessions.map(({ sid }) => sid).sort());
  expect(online.since).toBeGreaterThan(beforeMs - 5_000);
  const present = async () => await publisher.presence('room.online');
  await vi.waitUntil(async () => (await present()).count === 1, waiting);
  expect((await present()).users).toMatchObject([{ user: 'zoë@x', sessions: 2 }]);
  expect(await publisher.online('nobody')).toMatchObject({ online: false, sessions: [] });
  await expect(publisher.online('')).rejects.toMatchObject({ code: 'bad-user-id' });
  await expect(publisher.presence('room.*')).rejects.toMatchObject({ code: 'bad-name' });
  await expect(publisher.online('eve', { timeoutMs: 0 })).rejects.toMatchObject({ code: 'bad-option' });
});

test('the HTTP API keeps a copy with the rights that it has', async () => {
  const topic = 'room.copied';
  await new SessionUnderTest('fay').attach(at(0), { topics: [topic] });
  const api = new Mesh({ url: mesh.urlFor('api'), name: 'api', uses: [exchanges.presence] });
  const copy = new PresenceCopy({ mesh: api, queue: 'api.presence' });
  await api.start();
  mesh.defer(() => copy.stop().then(() => api.stop()));
  await copy.start();
  await vi.waitUntil(() => copy.of(topic).count === 1, waiting);
  expect(await copy.user('fay')).toMatchObject({ online: true, sessions: [{ node: 'edge-1' }] });
});
