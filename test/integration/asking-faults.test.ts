import { randomUUID } from 'node:crypto';
import { eventually } from '@evenkeel/testkit';
import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

const replyTo = 'service.shop.answers';
let mesh: EdgeMesh;
let a: EdgeUnderTest;
let balancer: Awaited<ReturnType<typeof balancerOf>>;
let channel: Channel;
/** Codes, or bodies of what is no error, by what was asked. */
const got = new Map<string, string>();

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  a = await mesh.edge('a');
  balancer = await balancerOf(mesh);
  const connection = await connect(mesh.urlFor('app-shop'));
  mesh.defer(() => connection.close());
  channel = await connection.createChannel();
  await channel.assertQueue(replyTo, { exclusive: true, durable: false });
  await channel.consume(
    replyTo,
    (message) => {
      const { correlationId, headers = {} } = message?.properties ?? {};
      got.set(correlationId, String(headers['evenkeel-error'] ?? message?.content));
    },
    { noAck: true },
  );
});
afterAll(() => mesh.close());

function ask(key: string, expiration = 30_000): string {
  const correlationId = randomUUID();
  channel.publish('mesh.ask', key, Buffer.from('1'), { correlationId, replyTo, expiration });
  return correlationId;
}

async function answered(id: string): Promise<string> {
  await eventually('an answer', () => got.has(id), 15_000);
  return got.get(id) ?? '';
}

it('a question that its edge had not seen acknowledged when it died comes once more, with the same id', async () => {
  const c = await mesh.edge('c');
  const session = new SessionUnderTest('crash');
  const first = await session.attach(c, {}, {}, { acks: false });
  const asked = ask('crash.q');
  const { id } = await first.frame('ask');
  await c.member.stop('SIGKILL', 3_000);
  const back = await session.attach(a, { resume: true }, { from: 'c' });
  expect(await back.frame('ask')).toMatchObject({ id, redelivered: true });
  back.send({ t: 'answer', id, data: 'after the crash' });
  expect(await answered(asked)).toBe('"after the crash"');
  await back.close();
});

it('of one user at most 64 questions are open, and the next is refused until one is answered', async () => {
  const session = new SessionUnderTest('busy');
  const client = await session.attach(a);
  const open = range(0, 63).map(() => ask('busy.q'));
  await client.until('all', () => client.of('ask').length === 64);
  expect(await answered(ask('busy.q'))).toBe('too-many');
  client.send({ t: 'answer', id: client.of('ask')[0]?.id, data: 'one' });
  expect(await answered(open[0] ?? '')).toBe('"one"');
  const next = ask('busy.next');
  const { id } = await client.frame('ask', ({ method }) => method === 'next');
  client.send({ t: 'answer', id, data: 'next' });
  expect(await answered(next)).toBe('"next"');
  await client.close();
});

it('what waits when its session ends is nobody’s undelivered event', async () => {
  const { queue } = await channel.assertQueue('service.shop.undelivered', { exclusive: true });
  await channel.bindQueue(queue, 'mesh.undelivered', 'user.gone.#');
  const keys: string[] = [];
  await channel.consume(queue, (message) => void keys.push(message?.fields.routingKey ?? ''), {
    noAck: true,
  });
  const session = new SessionUnderTest('gone');
  const client = await session.attach(a, {}, {}, { acks: false });
  ask('gone.q');
  await client.frame('ask');
  await mesh.event(session, 'left');
  client.send({ t: 'bye' });
  await eventually('the event', () => keys.length > 0);
  expect(keys).toEqual([expect.not.stringContaining('$ask')]);
});

it('a balancer that stops tells whoever waits, and the next one takes questions', async () => {
  const session = new SessionUnderTest('patient');
  const client = await session.attach(a);
  const asked = ask('patient.q');
  await client.frame('ask');
  await balancer.stop('SIGTERM', 5_000);
  expect(await answered(asked)).toBe('not-ready');
  // It waits on the broker until there is one.
  const later = ask('patient.later');
  await balancerOf(mesh);
  const { id } = await client.frame('ask', ({ method }) => method === 'later', 20_000);
  client.send({ t: 'answer', id, data: 'the next one' });
  expect(await answered(later)).toBe('"the next one"');
  await client.close();
});
