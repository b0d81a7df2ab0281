import { randomUUID } from 'node:crypto';
import { Broker, type Publisher } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, RawClient, type RawFrame } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { comeTo, EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { scripted } from '../support/scripted-edge-client.js';

// Nobody may subscribe anything: what comes, comes because a service has decided it.
const namespaces = JSON.stringify({
  namespaces: {
    room: { subscribe: 'nobody' },
    kept: { subscribe: 'nobody', history: { size: 100, seconds: 3600 } },
  },
});
const env = { NAMESPACES: namespaces, SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200', MAX_TOPICS: '3' };
const answers = 'service.shop.answers';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
let app: Broker;
let publisher: Publisher;
const waiting = new Map<string, (answer: unknown) => void>();

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
  await balancerOf(mesh);
  app = await Broker.connect({ url: mesh.urlFor('app-shop'), name: 'plain service', attempts: 5 });
  mesh.defer(() => app.close());
  await app.declare({ queues: [{ name: answers, durable: false, exclusive: true }] });
  await app.consumers({ channels: 1 }).consume(answers, {
    onDelivery: (delivery) => {
      delivery.ack();
      const { correlationId = '' } = delivery.properties;
      waiting.get(correlationId)?.(JSON.parse(delivery.body.toString()));
    },
  });
  publisher = app.publisher();
});
afterAll(() => mesh.close());

/** As any AMQP client does it. */
async function order(key: string, body: object): Promise<unknown> {
  const correlationId = randomUUID();
  const answer = new Promise((resolve) => waiting.set(correlationId, resolve));
  await publisher.publish('mesh.topics', key, JSON.stringify(body), { replyTo: answers, correlationId });
  return await answer;
}

const data = (client: RawClient, topic: string) =>
  client.frames.filter((frame) => frame.t === 'message' && frame.topic === topic).map((frame) => frame.data);
const until = (client: RawClient, topic: string, n: number) =>
  client.until(`${n} of ${topic}`, () => data(client, topic).at(-1) === n);
const subscribed = (client: RawClient, topic: string): Promise<RawFrame> =>
  client.frame('subscribed', (frame) => frame.topic === topic && frame.by === 'service');

describe('a service puts a user into topics', () => {
  it('whatever the user may, on every session, wherever it is, and takes them out again', async () => {
    const sessions = [new SessionUnderTest('zoë@x'), new SessionUnderTest('zoë@x')] as const;
    const clients = await Promise.all([sessions[0].attach(a), sessions[1].attach(b)]);
    expect(await order('join.room.1', { user: 'zoë@x' })).toEqual({ ok: true, sessions: 2 });
    for (const client of clients) expect(await subscribed(client, 'room.1')).toMatchObject({ by: 'service' });
    await mesh.message('room.1', 1);
    for (const client of clients) await until(client, 'room.1', 1);
    const one = { user: 'zoë@x', session: sessions[0].sid };
    expect(await order('leave.room.1', one)).toEqual({ ok: true, sessions: 1 });
    expect(await clients[0].frame('unsubscribed')).toMatchObject({ topic: 'room.1', reason: 'service' });
    await mesh.message('room.1', 2);
    await until(clients[1], 'room.1', 2);
    expect(data(clients[0], 'room.1')).toEqual([1]);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('and the session has it after a move, without a gap, where its client names it with the proof', async () => {
    const session = new SessionUnderTest('mover');
    const first = await session.attach(a);
    await order('join.room.move', { user: 'mover' });
    const { proof } = await subscribed(first, 'room.move');
    const { ticket } = await mesh.askToMove(session, first, a, b);
    await mesh.message('room.move', 1);
    const second = await comeTo(b, ticket, { topics: [{ topic: 'room.move', proof }] });
    await second.frame('welcome');
    await first.frame('moved');
    await mesh.message('room.move', 2);
    await until(second, 'room.move', 2);
    expect(new Set([...data(first, 'room.move'), ...data(second, 'room.move')])).toEqual(new Set([1, 2]));
    expect((await subscribed(second, 'room.move')).proof).toEqual(expect.any(String));
    expect([...first.frames, ...second.frames].filter(({ t }) => t === 'gap')).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  it('and the session has it after a move of a client that does not name it, behind a gap', async () => {
    const session = new SessionUnderTest('forgetful');
    const first = await session.attach(a);
    await order('join.room.forgot', { user: 'forgetful' });
    await subscribed(first, 'room.forgot');
    const second = await mesh.follow(session, first, a, b);
    await subscribed(second, 'room.forgot');
    expect(second.frames.filter(({ t }) => t === 'gap')).toMatchObject([
      { topic: 'room.forgot', reason: 'connection-lost' },
    ]);
    await mesh.message('room.forgot', 1);
    await until(second, 'room.forgot', 1);
    await Promise.all([first.close(), second.close()]);
  });

  it('that is away when it is said: it has it as soon as it is back, on another edge', async () => {
    const session = new SessionUnderTest('away');
    await (await session.attach(a)).close();
    expect(await order('join.room.away', { user: 'away' })).toEqual({ ok: true, sessions: 1 });
    const back = await session.attach(b, { resume: true }, { from: 'a' });
    await subscribed(back, 'room.away');
    await mesh.message('room.away', 1);
    await until(back, 'room.away', 1);
    await back.close();
  });

  it('and where the edge is lost, the proof counts, for its session and its topic alone', async () => {
    const session = new SessionUnderTest('crash');
    const c = await mesh.edge('c', env);
    const first = await session.attach(c);
    await order('join.room.crash', { user: 'crash' });
    const { proof } = await subscribed(first, 'room.crash');
    await c.member.stop('SIGKILL', 3_000);
    const topics = [
      { topic: 'room.crash', proof },
      { topic: 'room.other', proof },
    ];
    const back = await session.attach(a, { resume: true, topics }, { from: 'c' });
    await subscribed(back, 'room.crash');
    expect(await back.frame('error')).toMatchObject({ topic: 'room.other', code: 'forbidden' });
    await mesh.message('room.crash', 1);
    await until(back, 'room.crash', 1);
    const thief = await new SessionUnderTest('thief').attach(b, { topics });
    await thief.until('both refused', () => thief.of('error').length === 2);
    await Promise.all([back.close(), thief.close()]);
  });

  it('with histories, in their order: join, leave, join', async () => {
    const client = await new SessionUnderTest('kept').attach(a);
    await Promise.all([
      order('join.kept.1', { user: 'kept' }),
      order('leave.kept.1', { user: 'kept' }),
      order('join.kept.1', { user: 'kept' }),
    ]);
    const joins = () => client.of('subscribed').filter(({ by }) => by === 'service').length;
    await client.until('joined again', () => joins() === 2);
    await mesh.message('kept.1', 1);
    await until(client, 'kept.1', 1);
    await client.close();
  });

  it('within the limit of topics of the connection', async () => {
    const client = await new SessionUnderTest('many').attach(a);
    for (const n of range(1, 4)) await order(`join.room.many.${n}`, { user: 'many' });
    expect(await client.frame('error')).toMatchObject({ code: 'topic-limit' });
    await client.until('all three', () => client.of('subscribed').length === 3);
    await client.close();
  });

  it('and is told what is wrong, and who is nowhere', async () => {
    expect(await order('join.room.1', { user: 'nobody' })).toEqual({ ok: true, sessions: 0 });
    expect(await order('join.room..1', { user: 'x' })).toMatchObject({ ok: false, code: 'bad-topic' });
    for (const body of [{}, { user: '' }, { user: 'x', session: 'a.b' }])
      expect(await order('join.room.1', body)).toMatchObject({ ok: false, code: 'bad-command' });
  });

  it('and nobody else can: an order that is no balancer’s does nothing', async () => {
    const client = await new SessionUnderTest('victim').attach(a);
    const forged = JSON.stringify({ command: 'join', topic: 'room.forged' });
    await publisher.publish('mesh.events', 'user.victim.$topics', forged, {});
    await publisher.publish('mesh.events', 'user.victim.$topics', forged, { userId: 'app-shop' });
    await mesh.event({ uid: 'victim' }, 1);
    await client.frame('event');
    expect(client.kinds.filter((kind) => kind !== 'welcome')).toEqual(['event']);
    await client.close();
  });

  it('and a bare client sees nothing of it', async () => {
    const session = new SessionUnderTest('bare');
    const client = await RawClient.open(a.url, session.ticket(a), { protocol: undefined });
    await eventually('an event', async () => {
      await mesh.event({ uid: 'bare' }, 1);
      return client.messages.length > 0;
    });
    await order('join.room.bare', { user: 'bare' });
    await mesh.event({ uid: 'bare' }, 'last');
    await client.until('the last event', () => String(client.messages.at(-1)).includes('last'));
    const others = client.messages.filter((message) => !/last|1/.test(String(message)));
    expect(others).toEqual([]);
    await client.close();
  });
});

describe('publisher.join and publisher.leave', () => {
  it('say it over AMQP', async () => {
    const client = await new SessionUnderTest('sdk').attach(a);
    const service = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
    await service.join('room.sdk', { user: 'sdk' });
    await subscribed(client, 'room.sdk');
    await service.leave('room.sdk', { user: 'sdk' });
    expect(await client.frame('unsubscribed')).toMatchObject({ topic: 'room.sdk' });
    await expect(service.join('room sdk', { user: 'sdk' })).rejects.toMatchObject({ code: 'bad-name' });
    await expect(service.join('room', { user: '' })).rejects.toMatchObject({ code: 'bad-user-id' });
    await service.close();
    await client.close();
  });
});

describe('a client that a service puts into a topic', () => {
  it('hands its messages on, names it with the newest proof, and tells when a service takes it away', async () => {
    const { client, a: edge, connected } = await scripted({}, undefined, connect);
    const at = await connected();
    at.send({ t: 'subscribed', topic: 'room.1', by: 'service', proof: 'p-1' });
    at.send({ t: 'subscribed', topic: 'room.1', by: 'service', proof: 'p-2' });
    const got: unknown[] = [];
    client.onMessage((message) => got.push(message.data));
    at.message('room.1', 'm-1', { data: 1 });
    await eventually('a message', () => got.length > 0);
    const left: string[] = [];
    const topic = client.topic('room.1');
    topic.on('left', ({ reason }) => left.push(reason));
    topic.on('message', () => {});
    await topic.ready();
    at.terminate();
    const again = await edge.next();
    expect(await again.take('hello')).toMatchObject({ topics: [{ topic: 'room.1', proof: 'p-2' }] });
    again.welcome();
    again.send({ t: 'unsubscribed', topic: 'room.1', reason: 'service' });
    await eventually('left', () => left.length > 0);
    expect(left).toEqual(['service']);
  });
});
