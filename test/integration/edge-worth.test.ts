import { exchanges } from '@evenkeel/protocol';
import { eventually } from '@evenkeel/testkit';
import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edges: EdgeUnderTest[];
let channel: Channel;
/** What came to `mesh.undelivered`, as user, why and id. */
const undelivered: string[] = [];
const big = 'x'.repeat(60_000);

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  edges = await Promise.all(['e1', 'e2'].map((name) => mesh.edge(name, { WINDOW: '512' })));
  const connection = await connect(mesh.amqpUrl);
  mesh.defer(() => connection.close());
  channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, exchanges.undelivered, '#');
  await channel.consume(
    queue,
    (message) => {
      const { headers = {}, messageId } = message?.properties ?? {};
      undelivered.push(`${headers['evenkeel-user']} ${headers['evenkeel-why']} ${messageId}`);
    },
    { noAck: true },
  );
});
afterAll(() => mesh?.close());

/** Publishes a number, as any AMQP client would. */
function publish(user: string, n: number, headers: Record<string, unknown> = {}, ttl?: string): void {
  const body = JSON.stringify({ n, big });
  channel.publish(exchanges.events, `user.${user}.e`, Buffer.from(body), {
    contentType: 'application/json',
    messageId: `${user}-${n}`,
    headers,
    ...(ttl && { expiration: ttl }),
  });
}

const numbers = (client: { data: unknown[] }) => client.data.map((each) => (each as { n: number }).n);
const [first, second] = [() => edges[0] as EdgeUnderTest, () => edges[1] as EdgeUnderTest];

it('an event only for those online is not kept for a session that is away, and an application is told', async () => {
  const session = new SessionUnderTest('ann');
  const online = { 'evenkeel-only-online': true };
  const client = await session.attach(first());
  publish('ann', 1, online);
  await client.eventCount(1);
  await mesh.settled(session, { messages: 0 });
  await client.close();
  await mesh.settled(session, { consumers: 0 });
  publish('ann', 2, online);
  publish('ann', 3);
  publish('ann', 4, online);
  await mesh.settled(session, { messages: 4 });
  const back = await session.attach(second(), { resume: true }, { from: 'e1' });
  publish('ann', 5, online);
  await back.eventCount(2);
  expect([numbers(back), back.of('gap')]).toEqual([[3, 5], []]);
  for (const n of [2, 4])
    await eventually('it is undelivered', () => undelivered.includes(`ann expired ann-${n}`));
  await mesh.settled(session, { messages: 0 });
  await back.close();
});

it('a client that does not read gets the newest of a collapse key once it does', async () => {
  const session = new SessionUnderTest('bob');
  const client = await session.attach(first());
  client.freeze();
  // More than the kernel's buffers on both sides take.
  for (const n of range(1, 300)) publish('bob', n);
  for (const n of range(301, 320)) publish('bob', n, { 'evenkeel-collapse': 'price' });
  await first().unacked(301);
  client.thaw();
  await client.eventCount(301);
  expect([numbers(client), client.of('gap')]).toEqual([[...range(1, 300), 320], []]);
  await mesh.settled(session, { messages: 0 });
  await client.close();
});

it('what has expired while an edge kept it back is not sent: a gap is in its place', async () => {
  const session = new SessionUnderTest('cat');
  const client = await session.attach(first());
  client.freeze();
  // What the socket does not take, the edge keeps with its bodies.
  for (const n of range(1, 110)) publish('cat', n);
  await first().unacked(110);
  publish('cat', 111, {}, '1500');
  await first().unacked(111);
  const overAtMs = performance.now() + 1_500;
  publish('cat', 112);
  await first().unacked(112);
  await eventually('its time is over', () => performance.now() > overAtMs);
  client.thaw();
  await client.eventCount(111);
  expect(numbers(client)).toEqual([...range(1, 110), 112]);
  expect(client.kinds.slice(-2)).toEqual(['gap', 'event']);
  expect(client.of('gap')).toEqual([{ t: 'gap', reason: 'expired' }]);
  await eventually('it is undelivered', () => undelivered.includes('cat expired cat-111'));
  await client.close();
});
