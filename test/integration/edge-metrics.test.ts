import { randomUUID } from 'node:crypto';
import { exchanges, userKey } from '@evenkeel/protocol';
import { refusal } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = (await Promise.all(['a', 'b'].map((node) => mesh.edge(node, { LOG_LEVEL: 'debug' })))) as [
    EdgeUnderTest,
    EdgeUnderTest,
  ];
});
afterAll(() => mesh.close());

/** What an edge has logged of one session, in order. */
const logged = (edge: EdgeUnderTest, { sid }: SessionUnderTest) =>
  edge.lines
    .map((line) => JSON.parse(line) as { session?: string; msg: string })
    .filter(({ session }) => session === sid);

it('counts a session’s attaching, its events, its move and its gap by kind, reason and outcome', async () => {
  const session = new SessionUnderTest('measured');
  const first = await session.attach(a);
  await mesh.publisher.publish(exchanges.events, userKey(session.uid, 'n'), '1', {
    contentType: 'application/json',
    messageId: randomUUID(),
    headers: { 'evenkeel-at': Date.now() },
  });
  await first.eventCount(1);
  const acknowledged = () => metric(a.member, 'evenkeel_publish_to_ack_seconds_count');
  await vi.waitUntil(async () => (await acknowledged()) === 1, { timeout: 10_000, interval: 50 });
  expect(await metric(a.member, 'evenkeel_publish_to_socket_seconds_count')).toBe(1);

  const second = await mesh.follow(session, first, a, b);
  await second.frame('welcome');
  await first.frame('moved');
  expect(await metric(a.member, 'evenkeel_attach_seconds_count', { kind: 'new' })).toBe(1);
  expect(await metric(b.member, 'evenkeel_attach_seconds_count', { kind: 'moved' })).toBe(1);
  const moved = () => metric(a.member, 'evenkeel_moves_total', { outcome: 'done' });
  await vi.waitUntil(async () => (await moved()) === 1, { timeout: 10_000, interval: 50 });
  expect(await metric(a.member, 'evenkeel_move_seconds_count')).toBe(1);

  await first.close();
  await second.close();
  await mesh.settled(session, { consumers: 0 });
  await mesh.topology.deleteQueue(session.queue);
  const third = await session.attach(b, { resume: true });
  await third.frame('gap');
  expect(await metric(b.member, 'evenkeel_gaps_total', { reason: 'session-expired' })).toBe(1);
  expect(await metric(b.member, 'evenkeel_gaps_total', { reason: 'overflow' })).toBe(0);
  await third.close();
});

it('writes the way of one session over two edges into their logs, under one id', async () => {
  const session = new SessionUnderTest('followed');
  const first = await session.attach(a);
  const second = await mesh.follow(session, first, a, b);
  await second.frame('welcome');
  await first.frame('moved');
  second.send({ t: 'bye' });
  const ended = () => logged(b, session).some(({ msg }) => msg === 'ended');
  await vi.waitUntil(ended, { timeout: 10_000, interval: 20 });
  await vi.waitUntil(() => logged(a, session).some(({ msg }) => msg === 'moved-away'), { timeout: 10_000 });
  expect(logged(a, session).map(({ msg }) => msg)).toEqual([
    'socket opened',
    'attached',
    'moving',
    'moved-away',
  ]);
  expect(logged(b, session).map(({ msg }) => msg)).toEqual(['socket opened', 'attached', 'ended']);
  expect(logged(b, session)[1]).toMatchObject({ user: 'followed', node: 'b', kind: 'moved', from: 'a' });
  await first.close();
});

it('counts whom it turns away by what was wrong, and says so once', async () => {
  for (const ticket of ['?ticket=a.b.c', '?ticket=a.b.c'])
    expect(await refusal(a.url, ticket)).toMatchObject({ status: 401 });
  const refused = ['malformed', 'forged'].map((reason) =>
    metric(a.member, 'evenkeel_tickets_refused_total', { reason }),
  );
  expect((await Promise.all(refused)).reduce((sum, count) => sum + count)).toBe(2);
  const said = () => a.lines.filter((line) => line.includes('refused')).length;
  await expect.poll(said).toBeGreaterThan(0);
  expect(said()).toBe(1);
});

it('counts closes by code, and what clients make up as one', async () => {
  const code = (label: string) => metric(b.member, 'evenkeel_closes_total', { code: label });
  const before = await code('4500');
  const client = await new SessionUnderTest('closer').attach(b);
  client.send({ t: 'hello' });
  await client.closed;
  await vi.waitUntil(async () => (await code('4500')) === before + 1, { timeout: 10_000, interval: 50 });
  expect(await code('other')).toBe(0);
  const [own, another] = [
    await new SessionUnderTest('own').attach(b),
    await new SessionUnderTest('own').attach(b),
  ];
  await own.close(4_999);
  await another.close(4_998);
  await vi.waitUntil(async () => (await code('other')) === 2, { timeout: 10_000, interval: 50 });
});
