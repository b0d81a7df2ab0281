import { setTimeout as sleep } from 'node:timers/promises';
import { exchanges, meshTopology, topicKey, userKey } from '@evenkeel/protocol';
import type { RawClient, RawFrame } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { comeTo, EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { MeshListener } from '../support/mesh-listener.js';
import { metric } from '../support/metric.js';

/** Somebody deletes `mesh.events`, and it is declared again at once: every binding has gone, and RabbitMQ tells nobody. */

const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    room: { subscribe: 'anyone', history: { size: 100, seconds: 3600 } },
  },
});
const patience = { timeout: 20_000, interval: 20 };
const topics = ['t', 'room.r'];

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

const attached = new SessionUnderTest('attached');
const away = new SessionUnderTest('away');
const moving = new SessionUnderTest('moving');
const later = new SessionUnderTest('later');
const clients: Record<'attached' | 'away' | 'movingFrom' | 'movingTo' | 'later' | 'subscriber', RawClient> =
  Object.create(null);
let since: unknown;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = { NAMESPACES: namespaces };
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
  clients.attached = await attached.attach(a);
  clients.away = await away.attach(a);
  await clients.away.close();
  await mesh.settled(away, { consumers: 0 });
  clients.movingFrom = await moving.attach(a, { topics: ['m'] });
  clients.subscriber = await new SessionUnderTest('topics').attach(a, { topics });
  await publish(1);
  const { subscriber } = clients;
  await subscriber.until('both', () => subscriber.of('message').length === 2);
  since = subscriber.of('message').find(({ topic }) => topic === 'room.r')?.position;
  await clients.movingFrom.eventCount(1);
  await clients.movingFrom.pinged();

  const { ticket } = await mesh.askToMove(moving, clients.movingFrom, a, b);
  await mesh.topology.deleteExchange(exchanges.events);
  await mesh.broker.declare({ exchanges: meshTopology.exchanges });
  await publish(2);
  // Before anybody has noticed.
  clients.movingTo = await comeTo(b, ticket, { topics: ['m'] });
  await clients.movingTo.frame('welcome');
  const keys = [attached, away, moving].map(({ uid }) => userKey(uid, 'n'));
  await Promise.all([...keys, ...[...topics, 'm'].map(topicKey)].map((key) => untilRouted(key, 3)));
  clients.away = await away.attach(b, { resume: true }, { from: a.node });
  clients.later = await later.attach(a);
  await untilRouted(userKey(later.uid, 'n'), 3);
}, 90_000);
afterAll(() => mesh.close());

/** To everybody. */
async function publish(data: number): Promise<void> {
  await Promise.all([
    ...[attached, away, moving].map((session) => mesh.event(session, data)),
    ...[...topics, 'm'].map((topic) => mesh.message(topic, data)),
  ]);
}

/** Publishes `data` until a queue takes it: whatever is bound by this key is bound again. */
async function untilRouted(key: string, data: number): Promise<void> {
  const properties = { contentType: 'application/json', mandatory: true, messageId: `${key} ${data}` };
  await vi.waitUntil(
    async () => (await mesh.publisher.publish(exchanges.events, key, String(data), properties)) === 'routed',
    patience,
  );
}

/** How many queues of sessions an edge has bound again. */
const rebound = ({ member }: EdgeUnderTest) => metric(member, 'evenkeel_sessions_rebound_total');

/** What a client is told, in its order: data, and gaps. */
function told(client: RawClient, isMeant: (frame: RawFrame) => boolean = () => true): unknown[] {
  return client.frames
    .filter((frame) => ['event', 'message', 'gap'].includes(frame.t) && isMeant(frame))
    .map((frame) => (frame.t === 'gap' ? `gap ${frame.reason}` : frame.data));
}

const isOfTopic = ({ topic }: RawFrame): boolean => topic === 'm';
const isOfUser = (frame: RawFrame): boolean => !isOfTopic(frame);

const untilLast = (client: RawClient) => client.until('the last', () => told(client, isOfUser).includes(3));

describe('once bindings have gone', () => {
  it('a session gets its events again, and a gap in the place of those it has missed', async () => {
    await untilLast(clients.attached);
    expect(told(clients.attached)).toEqual([1, 'gap broker-lost', 3]);
  });

  it('a session whose client is away is told so when it is back, on another edge, behind what it had still to get', async () => {
    await untilLast(clients.away);
    // The edge that it has come to may see to it once more.
    expect(told(clients.away).slice(0, 3)).toEqual([1, 'gap broker-lost', 3]);
  });

  it('a session that moves before anybody knows is bound again, and told', async () => {
    await untilLast(clients.movingTo);
    const all = [clients.movingFrom, clients.movingTo].flatMap((client) => told(client, isOfUser));
    // Both edges may have seen to it, one of them later.
    const once = all.filter((each, i) => each !== all[i - 1]);
    expect(once.slice(0, 3)).toEqual([1, 'gap broker-lost', 3]);
  });

  it('a session that moves before anybody knows is told a gap of its topics, too', async () => {
    await clients.movingTo.until('the last of the topic', () =>
      told(clients.movingTo, isOfTopic).includes(3),
    );
    expect(told(clients.movingFrom, isOfTopic)).toEqual([1, 'gap connection-lost']);
    expect(clients.movingFrom.of('moved')).toMatchObject([{ seq: 1 }]);
  });

  it.each([
    ['t', 'broker-lost'],
    ['room.r', 'history-lost'],
  ])('topic %s goes on with a gap %s', async (name, reason) => {
    const { subscriber } = clients;
    const ofTopic = () => told(subscriber, ({ topic }) => topic === name);
    await subscriber.until('the last', () => ofTopic().includes(3));
    // Each edge has its own word on a history.
    const once = ofTopic().filter((each, i, all) => each !== all[i - 1]);
    expect(once.slice(0, 3)).toEqual([1, `gap ${reason}`, 3]);
  });

  it('a history says to who comes back with a position that something is missing, on every edge', async () => {
    for (let n = 4; n <= 8; n += 1) await mesh.message('room.r', n);
    // It finds the place in the stream, behind what it has in memory.
    const c = await mesh.edge('c', { NAMESPACES: namespaces, HISTORY_TAIL_MESSAGES: '2' });
    for (const edge of [a, b, c]) {
      const back = await new SessionUnderTest('back').attach(edge);
      back.send({ t: 'subscribe', id: '1', topic: 'room.r', since });
      const ok = await back.frame('ok', ({ re }) => re === '1');
      expect(ok.data).toMatchObject({ recovered: false });
      await back.close();
    }
  });

  it('a session that comes after it is told nothing', async () => {
    await untilLast(clients.later);
    // The edge looks every second for what is still to be bound.
    await vi.waitUntil(async () => (await rebound(b)) >= 2, patience);
    expect(told(clients.later)).toEqual([3]);
  });

  it('a session is told by the next edge of that name, where they went with the one before', async () => {
    const session = new SessionUnderTest('orphan');
    const before = await mesh.edge('d');
    const first = await session.attach(before);
    await mesh.event(session, 1);
    await first.eventCount(1);
    first.ack(1);
    await first.pinged();
    await before.member.kill();
    await mesh.settled(session, { consumers: 0 });
    await mesh.topology.deleteExchange(exchanges.events);
    await mesh.broker.declare({ exchanges: meshTopology.exchanges });
    await mesh.event(session, 2);
    const next = await mesh.edge('d');
    const back = await session.attach(next, { resume: true }, { from: before.node });
    await mesh.event(session, 3);
    await back.until('the last', () => told(back).includes(3));
    // The acknowledgement may have died with its edge: then that event comes again, and says so.
    const again = back.events.filter((each) => each.redelivered).map((each) => each.data);
    expect([[], [1]]).toContainEqual(again);
    expect(told(back)).toEqual([...again, 'gap broker-lost', 3]);
  });

  it.each([
    ['before any edge knows', 0],
    ['and the exchange comes back only when edges have tried in vain', 1_500],
  ])(
    'a session whose queue goes as well is told that alone, once, and applications that it was opened: %s',
    async (_when, awayMs) => {
      const sessions = await MeshListener.open(mesh.urlFor('app-shop'), exchanges.sessions);
      mesh.defer(() => sessions.close());
      const all = Array.from({ length: 6 }, (_, n) => new SessionUnderTest(`gone-${awayMs}-${n}`));
      const here = await Promise.all(all.map((session, n) => session.attach(n % 2 ? a : b)));
      await Promise.all(all.map((session) => sessions.happened(session, ['opened'])));
      const declare = () => mesh.broker.declare({ exchanges: meshTopology.exchanges });
      await mesh.topology.deleteExchange(exchanges.events);
      if (awayMs === 0) await declare();
      await Promise.all(all.map(({ queue }) => mesh.topology.deleteQueue(queue)));
      await sleep(awayMs);
      await declare();
      await Promise.all(all.map(({ uid }) => untilRouted(userKey(uid, 'n'), 3)));
      await Promise.all(here.map((client) => client.until('the event', () => told(client).includes(3))));
      await Promise.all(all.map((session) => sessions.happened(session, ['opened', 'opened'])));
      expect(here.map((client) => told(client))).toEqual(all.map(() => ['gap session-expired', 3]));
    },
    30_000,
  );
});
