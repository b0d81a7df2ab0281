import { createHash } from 'node:crypto';
import { freePort, Member } from '@evenkeel/local';
import { eventually, type RawClient } from '@evenkeel/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

const key = 'the-key-of-the-shop';
let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let url: string;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edge = await mesh.edge('a');
  await balancerOf(mesh);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const api = new Member({
    role: 'api',
    name: 'api',
    opsPort: await freePort(),
    env: {
      EVENKEEL_AMQP_URL: mesh.urlFor('api'),
      EVENKEEL_PORT: String(port),
      EVENKEEL_API_KEYS: `shop:request:${createHash('sha256').update(key).digest('hex')}`,
    },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  mesh.defer(() => api.stop('SIGTERM', 3_000));
  await api.start();
  await eventually(
    'answers find the API',
    async () => (await ask('nobody', { method: 'q', data: 1 })).status === 404,
    20_000,
  );
});
afterAll(() => mesh.close());

async function ask(user: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/v1/users/${encodeURIComponent(user)}/request`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

it('numbers beyond 2^53 stay whole, in a question and in its answer', async () => {
  const client = await new SessionUnderTest('numbers').attach(edge);
  const asked = fetch(`${url}/v1/users/numbers/request`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"method": "q", "data": {"n": 9007199254740993}}',
  });
  const { id } = await client.frame('ask');
  expect(client.log.some(({ text }) => text.includes('"data":{"n": 9007199254740993}'))).toBe(true);
  client.send(`{"t":"answer","id":${JSON.stringify(id)},"data":[1e400, 98765432109876543210]}`);
  expect(await (await asked).text()).toContain('"data":[1e400, 98765432109876543210]}');
  await client.close();
});

/** Answers the question for this method. */
async function answer(client: RawClient, method: string, how: object): Promise<void> {
  const { id } = await client.frame('ask', (frame) => frame.method === method);
  client.send({ t: 'answer', id, ...how });
}

it('a question over HTTP is answered by the client, or with its error', async () => {
  const session = new SessionUnderTest('zoë@x');
  const client = await session.attach(edge);
  const asked = ask('zoë@x', { method: 'order.confirm', data: { order: 7 } });
  const { data } = await client.frame('ask');
  expect(data).toEqual({ order: 7 });
  await answer(client, 'order.confirm', { data: { accepted: true } });
  expect(await asked).toEqual({
    status: 200,
    body: { user: 'zoë@x', answers: [{ session: session.sid, data: { accepted: true } }], silent: [] },
  });
  const refused = ask('zoë@x', { method: 'other', data: null });
  const error = { code: 'declined', message: 'not today' };
  await answer(client, 'other', { error });
  expect((await refused).body.answers).toEqual([{ session: session.sid, error }]);
  await client.close();
});

it('of all sessions each has its answer, and those that stay silent are named', async () => {
  const sessions = [new SessionUnderTest('all'), new SessionUnderTest('all')] as const;
  const clients = await Promise.all([sessions[0].attach(edge), sessions[1].attach(edge)]);
  const asked = ask('all', { method: 'q', data: 1, want: 'all', timeoutMs: 5_000 });
  await answer(clients[0], 'q', { data: 'here' });
  expect((await asked).body).toEqual({
    user: 'all',
    answers: [{ session: sessions[0].sid, data: 'here' }],
    silent: [sessions[1].sid],
  });
  await Promise.all(clients.map((client) => client.close()));
});

it('whoever has no session, or a client that does not answer, is an error with a code', async () => {
  expect(await ask('nobody', { method: 'q', data: 1 })).toMatchObject({
    status: 404,
    body: { code: 'no-session' },
  });
  const client = await new SessionUnderTest('silent').attach(edge);
  expect(await ask('silent', { method: 'q', data: 1, timeoutMs: 200 })).toMatchObject({
    status: 504,
    body: { code: 'no-answer' },
  });
  expect(await ask('silent', { method: 'q', data: 'x'.repeat(65_536) })).toMatchObject({
    status: 413,
    body: { code: 'too-large' },
  });
  await client.close();
});
