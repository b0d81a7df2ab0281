import { exchanges } from '@evenkeel/protocol';
import { refusal } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { MeshListener } from '../support/mesh-listener.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
const patience = { timeout: 10_000, interval: 20 };

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('e1', { MAX_SOCKETS_PER_USER: '3', MAX_SESSIONS_PER_USER: '4' });
});
afterAll(() => mesh.close());

it('a user has so many sockets on an edge; the next is answered 429, and others get theirs', async () => {
  const clients = await Promise.all(range(1, 3).map(() => new SessionUnderTest('alice').attach(edge)));
  const session = new SessionUnderTest('alice');
  const ticket = session.ticket(edge);
  const { status, body } = await refusal(edge.url, `?ticket=${encodeURIComponent(ticket)}`);
  expect([status, body.error.code]).toEqual([429, 'too-many-sockets']);
  const other = await new SessionUnderTest('bob').attach(edge);
  await clients[0]?.close();
  await vi.waitFor(async () => await (await session.attach(edge)).close(), { timeout: 10_000, interval: 50 });
  await Promise.all([...clients.slice(1), other].map((client) => client.close()));
});

it('a user has so many sessions on an edge: beyond it the oldest without a socket ends, its queue with it, and is told', async () => {
  const listener = await MeshListener.open(mesh.amqpUrl, exchanges.sessions);
  onTestFinished(() => listener.close());
  const sessions = range(1, 6).map(() => new SessionUnderTest('carol'));
  for (const session of sessions) await (await session.attach(edge)).close();
  const [first, second, third] = sessions;
  if (!first || !second || !third) throw new Error('there are six');
  await listener.happened(first, ['opened', 'detached', 'ended expired'], 20_000);
  await listener.happened(second, ['opened', 'detached', 'ended expired'], 20_000);
  expect(await mesh.counts(first)).toBe(undefined);
  expect(await mesh.counts(third)).toMatchObject({ consumers: 0 });
});

it('a user may send so many frames over all its connections: what is beyond is ignored, or answered rate-limited', async () => {
  const bounded = await mesh.edge('e2', {
    FRAMES_PER_SECOND: '1',
    FRAMES_BURST: '20',
    USER_FRAMES_PER_SECOND: '1',
    USER_FRAMES_BURST: '30',
  });
  const [first, second, other] = await Promise.all(
    ['dora', 'dora', 'eve'].map((user) => new SessionUnderTest(user).attach(bounded)),
  );
  if (!first || !second || !other) throw new Error('there are three');
  const send = async (client: typeof first): Promise<number> => {
    for (let n = 0; n < 28; n += 1) client.send({ t: 'subscribe', id: `${n}`, topic: 'same' });
    await vi.waitFor(() => expect(client.of('ok').length + client.of('error').length).toBe(28), patience);
    expect(client.of('error').every(({ code }) => code === 'rate-limited')).toBe(true);
    return client.of('ok').length;
  };
  const done = [await send(first), await send(second), await send(other)];
  // It gains some while this goes on.
  expect(done[0]).toBeGreaterThanOrEqual(20);
  expect((done[0] ?? 0) + (done[1] ?? 0)).toBeGreaterThanOrEqual(30);
  expect((done[0] ?? 0) + (done[1] ?? 0)).toBeLessThan(37);
  expect(done[2]).toBeGreaterThanOrEqual(20);
  await Promise.all([first, second, other].map((client) => client.close()));
});
