import { randomUUID } from 'node:crypto';
import type { Member } from '@evenkeel/local';
import { eventually, TcpProxy } from '@evenkeel/testkit';
import { type Channel, type ConsumeMessage, connect } from 'amqplib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';

const env = { SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };
const answers = 'service.shop.answers';

let mesh: EdgeMesh;
let b: EdgeUnderTest;
let balancer: Member;
let proxy: TcpProxy;
let channel: Channel;
const got = new Map<string, { error: unknown; text: string }>();

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  b = await mesh.edge('b', env);
  proxy = await TcpProxy.toUrl(mesh.urlFor('balancer'));
  mesh.defer(() => proxy.close());
  balancer = await balancerOf(mesh, proxy.urlFor(mesh.urlFor('balancer')));
  const connection = await connect(mesh.urlFor('app-shop'));
  mesh.defer(() => connection.close());
  channel = await connection.createChannel();
  await channel.assertQueue(answers, { exclusive: true, durable: false });
  const onAnswer: Parameters<Channel['consume']>[1] = (message) => {
    const { correlationId, headers = {} } = message?.properties ?? {};
    got.set(correlationId, { error: headers['evenkeel-error'], text: String(message?.content) });
  };
  await channel.consume(answers, onAnswer, { noAck: true });
});
afterAll(() => mesh.close());

/** Gives the last answer so far. */
function answered(exchange: string, key: string, body: unknown, properties: object = {}) {
  const correlationId = randomUUID();
  const asked = { correlationId, replyTo: answers, ...properties };
  channel.publish(exchange, key, Buffer.from(JSON.stringify(body)), asked);
  return () => got.get(correlationId);
}

const ask = (key: string, properties?: object) => answered('mesh.ask', key, 1, properties);

it('a user whose edge has died is asked, and put into a topic, once it is back; others who have no session are told so', async () => {
  const dying = await mesh.edge('dying', env);
  const session = new SessionUnderTest('survivor');
  const client = await session.attach(dying);
  // The balancer knows of a session within a second.
  await eventually('the session', async () => (await metric(balancer, 'evenkeel_balancer_sessions')) >= 1);
  await dying.member.kill();
  await client.closed;
  await eventually(
    'a suspect',
    async () => (await metric(balancer, 'evenkeel_balancer_nodes', { state: 'suspect' })) === 1,
  );
  const answer = ask('survivor.q', { expiration: 20_000 });
  const nobody = ask('nobody.q', { expiration: 20_000 });
  await eventually('an answer', () => nobody() !== undefined);
  expect([nobody()?.error, answer()]).toEqual(['no-session', undefined]);
  const placed = answered('mesh.topics', 'join.room.1', { user: 'survivor' });
  await eventually('it is put into a topic', () => placed() !== undefined);
  expect(JSON.parse(placed()?.text ?? '')).toEqual({ ok: true, sessions: 1 });
  const back = await session.attach(b, { resume: true }, { from: 'dying' });
  const { id } = await back.frame('ask');
  back.send({ t: 'answer', id, data: 'here' });
  await eventually('the answer', () => answer() !== undefined);
  expect(answer()).toEqual({ error: undefined, text: '"here"' });
  expect(await back.frame('subscribed')).toMatchObject({ topic: 'room.1', by: 'service' });
  await back.close();
});

it('more questions to one user than it may have, and an edge that does not answer, stall no question to another', async () => {
  const frozen = await mesh.edge('frozen', env);
  await eventually(
    'the edge',
    async () => (await metric(balancer, 'evenkeel_balancer_nodes', { state: 'active' })) === 2,
  );
  const client = await new SessionUnderTest('other').attach(b);
  frozen.member.pause();
  const flood = range(1, 200).map(() => ask('flooded.q', { expiration: 20_000 }));
  const answer = ask('other.q', { expiration: 5_000 });
  const { id } = await client.frame('ask');
  client.send({ t: 'answer', id, data: 1 });
  await eventually('the answer', () => answer() !== undefined);
  expect(answer()).toMatchObject({ text: '1' });
  await eventually('all of the rest', () => flood.every((each) => each() !== undefined));
  expect(flood.filter((each) => each()?.error === 'too-many')).toHaveLength(200 - 64);
  frozen.member.resume();
  await client.close();
});

it('what is asked while a user is away ends with its time, and 64 of it lie in the queue at most', async () => {
  const admin = await connect(mesh.amqpUrl);
  mesh.defer(() => admin.close());
  const watching = await admin.createChannel();
  const { queue } = await watching.assertQueue('', { exclusive: true });
  await watching.bindQueue(queue, 'mesh.events', 'user.away.$ask');
  const left: number[] = [];
  let endsAt = 0;
  const onAsk = (message: ConsumeMessage | null) => {
    const ms = Number(message?.properties.expiration);
    left.push(ms);
    endsAt = Math.max(endsAt, Date.now() + ms);
  };
  await watching.consume(queue, onAsk, { noAck: true });
  const session = new SessionUnderTest('away');
  const client = await session.attach(b);
  await mesh.event(session, 1);
  await client.eventCount(1);
  await client.close();
  // The seal alone, behind which nothing ends in the queue.
  await mesh.settled(session, { messages: 1, consumers: 0 });
  const flood = range(1, 64).map(() => ask('away.q', { expiration: 1_500 }));
  await eventually('their end', () => flood.every((each) => each()?.error === 'timeout'));
  const more = ask('away.q', { expiration: 1_500 });
  await eventually('an answer', () => more() !== undefined);
  expect(more()?.error).toBe('too-many');
  expect(left).toHaveLength(64);
  expect(left.filter((ms) => ms > 0 && ms <= 1_500)).toHaveLength(64);
  // What is over comes no more. In the queue its time begins when it gets there, a moment after the balancer has put it on its way.
  await eventually('their end in the queue', () => Date.now() > endsAt + 1_000);
  const back = await session.attach(b, { resume: true });
  const answer = ask('away.last');
  const { id } = await back.frame('ask');
  back.send({ t: 'answer', id, data: 1 });
  await eventually('the answer', () => answer() !== undefined);
  expect([answer()?.text, back.of('ask').length, back.of('gap')]).toEqual(['1', 1, []]);
  await back.close();
});

it('a question that is published twice under one message_id is asked once', async () => {
  const client = await new SessionUnderTest('twice').attach(b);
  const messageId = randomUUID();
  const correlationId = randomUUID();
  const answer = ask('twice.q', { messageId, correlationId });
  ask('twice.q', { messageId, correlationId });
  ask('twice.last');
  const { id } = await client.frame('ask', ({ method }) => method === 'last');
  client.send({ t: 'answer', id, data: 1 });
  expect(client.of('ask').map(({ method }) => method)).toEqual(['q', 'last']);
  expect(answer()).toBeUndefined();
  await client.close();
});

it('an application that says who it is has no answer put into the queue of another', async () => {
  const refused = () => metric(balancer, 'evenkeel_balancer_asks_total', { outcome: 'no-reply-to' });
  const before = await refused();
  ask('nobody.q', { userId: 'app-shop', replyTo: 'service.other.work' });
  await eventually('a refusal', async () => (await refused()) > before);
  const own = ask('nobody.q', { userId: 'app-shop' });
  await eventually('an answer', () => own() !== undefined);
  expect(own()).toMatchObject({ error: 'no-session' });
});

it('a question that RabbitMQ brings again to the balancer that has it is asked once', async () => {
  const frozen = await mesh.edge('stuck', env);
  await eventually(
    'the edge',
    async () => (await metric(balancer, 'evenkeel_balancer_nodes', { state: 'active' })) === 3,
  );
  const client = await new SessionUnderTest('again').attach(b);
  // An edge that does not answer: the question is in hand for a second.
  frozen.member.pause();
  const before = await metric(balancer, 'evenkeel_balancer_asks_open');
  const answer = ask('again.q', { expiration: 20_000 });
  await eventually(
    'it is in hand',
    async () => (await metric(balancer, 'evenkeel_balancer_asks_open')) > before,
  );
  proxy.cut();
  const { id } = await client.frame('ask');
  await eventually(
    'it comes again',
    async () => (await metric(balancer, 'evenkeel_balancer_asks_total', { outcome: 'repeated' })) > 0,
  );
  client.send({ t: 'answer', id, data: 'once' });
  await eventually('the answer', () => answer() !== undefined);
  const last = ask('again.last', { expiration: 20_000 });
  const second = await client.frame('ask', ({ method }) => method === 'last');
  client.send({ t: 'answer', id: second.id, data: 1 });
  await eventually('an answer', () => last() !== undefined);
  expect([answer()?.text, client.of('ask').map(({ method }) => method)]).toEqual(['"once"', ['q', 'last']]);
  frozen.member.resume();
  await client.close();
});
