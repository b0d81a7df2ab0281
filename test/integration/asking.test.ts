import { randomUUID } from 'node:crypto';
import { eventually, RawClient, type RawFrame } from '@evenkeel/testkit';
import { type Channel, connect } from 'amqplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

const env = { SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
/** Of any AMQP client: nothing of Evenkeel's. */
let channel: Channel;
const answers = 'service.shop.answers';

interface Answer {
  readonly headers: Record<string, unknown>;
  readonly text: string;
}
const got = new Map<string, Answer[]>();

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
  await balancerOf(mesh);
  const connection = await connect(mesh.urlFor('app-shop'));
  mesh.defer(() => connection.close());
  channel = await connection.createChannel();
  await channel.assertQueue(answers, { exclusive: true, durable: false });
  for (const queue of [answers, 'amq.rabbitmq.reply-to']) {
    await channel.consume(
      queue,
      (message) => {
        const { correlationId, headers = {} } = message?.properties ?? {};
        const answer = { headers, text: message?.content.toString() ?? '' };
        got.set(correlationId, [...(got.get(correlationId) ?? []), answer]);
      },
      { noAck: true },
    );
  }
});
afterAll(() => mesh.close());

interface Asked {
  readonly want?: string;
  readonly expiration?: number;
  readonly replyTo?: string;
  readonly body?: string;
}

/** Asks, and gives all that is answered to it, as it comes. */
function ask(key: string, data: unknown, asked: Asked = {}): { all(count: number): Promise<Answer[]> } {
  const { want, expiration, replyTo = answers, body = JSON.stringify(data) } = asked;
  const correlationId = randomUUID();
  channel.publish('mesh.ask', key, Buffer.from(body), {
    correlationId,
    replyTo,
    ...(expiration !== undefined && { expiration }),
    ...(want !== undefined && { headers: { 'evenkeel-want': want } }),
  });
  const all = async (count: number) => {
    await eventually(`${count} answers`, () => (got.get(correlationId)?.length ?? 0) >= count);
    return got.get(correlationId) ?? [];
  };
  return { all };
}

const one = async (key: string, data: unknown, asked: Asked = {}): Promise<Answer> => {
  const [first] = await ask(key, data, asked).all(1);
  return first as Answer;
};
const asked = (client: RawClient, method: string): Promise<RawFrame> =>
  client.frame('ask', (frame) => frame.method === method);

describe('a service asks a user', () => {
  it('on plain AMQP, and the client answers, by a queue or by direct reply-to', async () => {
    const session = new SessionUnderTest('zoë@x');
    const client = await session.attach(a);
    for (const replyTo of [answers, 'amq.rabbitmq.reply-to']) {
      const method = replyTo === answers ? 'confirm.order' : 'direct';
      const answer = one(`${session.uid}.${method}`, { order: 7 }, { replyTo });
      const { id, data, seq } = await asked(client, method);
      expect([data, seq]).toEqual([{ order: 7 }, expect.any(Number)]);
      client.send({ t: 'answer', id, data: { yes: true, n: 12345678901234567890n.toString() } });
      expect(await client.frame('ok', (frame) => frame.re === id)).toBeDefined();
      expect(await answer).toMatchObject({ headers: { 'evenkeel-session': session.sid } });
      expect(JSON.parse((await answer).text)).toMatchObject({ yes: true });
    }
    await client.close();
  });

  it('in its place among the events, counted and acknowledged as one', async () => {
    const session = new SessionUnderTest('order');
    const client = await session.attach(a, {}, {}, { acks: false });
    await mesh.event(session, 1);
    await client.eventCount(1);
    ask('order.q', 'now');
    const { seq } = await asked(client, 'q');
    await mesh.event(session, 2);
    await client.eventCount(2);
    expect(client.frames.slice(1).map((frame) => frame.seq)).toEqual([1, 2, 3]);
    expect(seq).toBe(2);
    client.ack(3);
    await mesh.settled(session, { messages: 0 });
    await client.close();
  });

  it('over a move, also where the answer comes on the new connection', async () => {
    const session = new SessionUnderTest('mover');
    const first = await session.attach(a);
    const answer = one('mover.q', 1);
    const { id } = await asked(first, 'q');
    const second = await mesh.follow(session, first, a, b);
    await second.frame('welcome');
    await first.frame('moved');
    second.send({ t: 'answer', id, data: 'moved' });
    expect(await answer).toMatchObject({ text: '"moved"' });
    const late = one('mover.q2', 2);
    second.send({ t: 'answer', id: (await asked(second, 'q2')).id, data: 'here' });
    expect(await late).toMatchObject({ text: '"here"' });
    expect([...first.frames, ...second.frames].filter(({ t }) => t === 'gap')).toEqual([]);
    await Promise.all([first.close(), second.close()]);
  });

  it('that is away for a moment: it answers once it is back', async () => {
    const session = new SessionUnderTest('away');
    await (await session.attach(a)).close();
    const answer = one('away.q', 1);
    const back = await session.attach(b, { resume: true }, { from: 'a' });
    back.send({ t: 'answer', id: (await asked(back, 'q')).id, data: 'back' });
    expect(await answer).toMatchObject({ text: '"back"' });
    await back.close();
  });

  it('and gets the first answer, or that of every session with an end', async () => {
    const sessions = [new SessionUnderTest('two'), new SessionUnderTest('two')] as const;
    const clients = await Promise.all([sessions[0].attach(a), sessions[1].attach(b)]);
    const every = ask('two.all', 1, { want: 'all' });
    for (const [n, client] of clients.entries())
      client.send({ t: 'answer', id: (await asked(client, 'all')).id, data: n });
    const answersOfAll = await every.all(3);
    const byWhom = answersOfAll.slice(0, 2).map(({ headers }) => headers['evenkeel-session']);
    expect(new Set(byWhom)).toEqual(new Set(sessions.map(({ sid }) => sid)));
    expect(answersOfAll[2]).toMatchObject({ headers: { 'evenkeel-answers': 2 } });
    expect(JSON.parse(answersOfAll[2]?.text ?? '')).toEqual({ answers: 2, silent: [] });

    const any = ask('two.first', 1);
    const { id } = await asked(clients[1], 'first');
    clients[1].send({ t: 'answer', id, data: 'mine' });
    expect((await any.all(1))[0]).toMatchObject({ headers: { 'evenkeel-session': sessions[1].sid } });
    clients[0].send({ t: 'answer', id, data: 'too late' });
    await clients[0].frame('ok', (frame) => frame.re === id);
    await one('two.bad..key', 1);
    expect(await any.all(1)).toHaveLength(1);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('and a client that serves no such method does not speak for one that does', async () => {
    const clients = await Promise.all(range(0, 1).map(() => new SessionUnderTest('half').attach(a)));
    const [old, fresh] = clients as [RawClient, RawClient];
    const answer = one('half.q', 1);
    const { id } = await asked(old, 'q');
    old.send({ t: 'answer', id, error: { code: 'no-handler', message: 'not served' } });
    await old.frame('ok', (frame) => frame.re === id);
    fresh.send({ t: 'answer', id: (await asked(fresh, 'q')).id, data: 'served' });
    expect(await answer).toMatchObject({ text: '"served"' });
    await Promise.all(clients.map((client) => client.close()));
  });

  it('and gets the error that the client answers with', async () => {
    const client = await new SessionUnderTest('fails').attach(a);
    const answer = one('fails.q', 1);
    const error = { code: 'declined', message: 'not today' };
    client.send({ t: 'answer', id: (await asked(client, 'q')).id, error });
    expect(await answer).toMatchObject({ headers: { 'evenkeel-error': 'declined' }, text: 'not today' });
    await client.close();
  });

  it('and learns at once that the user has no session', async () => {
    expect(await one('nobody.q', 1)).toMatchObject({ headers: { 'evenkeel-error': 'no-session' } });
  });

  it('and learns when the time is over: of a client that never answers, and of all but one', async () => {
    const clients = await Promise.all(range(0, 1).map(() => new SessionUnderTest('silent').attach(a)));
    const silent = await one('silent.q', 1, { expiration: 300 });
    expect(silent).toMatchObject({ headers: { 'evenkeel-error': 'timeout' } });
    const half = ask('silent.half', 1, { expiration: 5_000, want: 'all' });
    const [speaks] = clients as [RawClient, RawClient];
    speaks.send({ t: 'answer', id: (await asked(speaks, 'half')).id, data: 1 });
    const [, end] = await half.all(2);
    expect(JSON.parse(end?.text ?? '')).toEqual({ answers: 1, silent: [expect.any(String)] });
    await Promise.all(clients.map((client) => client.close()));
  });

  it('and is told what is wrong with the question', async () => {
    const big = JSON.stringify('x'.repeat(65_536));
    const wrong: [string, Asked, string][] = [
      ['x.a b', {}, 'bad-question'],
      ['x..q', {}, 'bad-question'],
      ['x.q', { body: '{' }, 'bad-question'],
      ['x.q', { want: 'some' }, 'bad-question'],
      ['x.q', { expiration: 60_001 }, 'bad-question'],
      ['x.q', { body: big }, 'too-large'],
    ];
    for (const [key, how, code] of wrong)
      expect(await one(key, 1, how), key).toMatchObject({ headers: { 'evenkeel-error': code } });
  });

  it('and nobody answers in its queue for the mesh: an answer goes into none of the mesh’s own queues', async () => {
    const session = new SessionUnderTest('target');
    const client = await session.attach(a);
    const before = client.frames.length;
    ask('target.q', 1, { replyTo: session.queue });
    expect(await one('nobody.q', 1)).toBeDefined();
    await client.pinged();
    expect(client.frames.slice(before).map(({ t }) => t)).toEqual(['pong']);
    await client.close();
  });
});

describe('a client', () => {
  it('of before, that does not acknowledge a question, stays connected', async () => {
    const edge = await mesh.edge('old', { ...env, ACK_TIMEOUT_MS: '2000' });
    const session = new SessionUnderTest('old');
    const client = await session.attach(edge, {}, {}, { acks: false });
    expect(await one('old.q', 1, { expiration: 500 })).toMatchObject({
      headers: { 'evenkeel-error': 'timeout' },
    });
    await client.frame('ask');
    // The edge has let go of it by itself; the seal stays.
    await mesh.settled(session, { messages: 0 });
    await mesh.event(session, 'next');
    await client.eventCount(1);
    client.ack(2);
    await client.pinged();
    expect(client.isOpen).toBe(true);
    await client.close();
  });

  it('cannot answer what it was not asked, and goes on', async () => {
    const asker = await new SessionUnderTest('asked').attach(a);
    const thief = await new SessionUnderTest('thief').attach(b);
    const answer = one('asked.q', 1);
    const { id } = await asked(asker, 'q');
    for (const made of ['x', `${'a'.repeat(16)}.${'b'.repeat(22)}`]) {
      thief.send({ t: 'answer', id: made, data: 'stolen' });
      expect(await thief.answer(made)).toMatchObject({ t: 'error', code: 'not-asked' });
    }
    thief.send({ t: 'answer', id, data: 'stolen' });
    await thief.answer(String(id));
    asker.send({ t: 'answer', id, data: 'own' });
    expect(await answer).toMatchObject({ text: '"own"' });
    await Promise.all([asker.close(), thief.close()]);
  });

  it('is asked by nobody but a balancer', async () => {
    const client = await new SessionUnderTest('victim').attach(a);
    const headers = { 'evenkeel-ask': `asker.${'x'.repeat(22)}`, 'evenkeel-method': 'q' };
    channel.publish('mesh.events', 'user.victim.$ask', Buffer.from('1'), { headers });
    channel.publish('mesh.events', 'user.victim.$ask', Buffer.from('1'), { headers, userId: 'app-shop' });
    channel.publish('mesh.events', 'user.victim.last', Buffer.from('1'));
    await client.frame('event', (frame) => frame.name === 'last');
    expect(client.of('ask')).toEqual([]);
    await client.close();
  });

  it('without frames sees nothing of it', async () => {
    const session = new SessionUnderTest('bare');
    const client = await RawClient.open(a.url, session.ticket(a), { protocol: undefined });
    await eventually('an event', async () => {
      await mesh.event({ uid: 'bare' }, 1);
      return client.messages.length > 0;
    });
    expect(await one('bare.q', '$question')).toMatchObject({ headers: { 'evenkeel-error': 'no-session' } });
    await mesh.event({ uid: 'bare' }, 'last');
    await client.until('the last event', () => String(client.messages.at(-1)).includes('last'));
    expect(client.messages.filter((message) => String(message).includes('$question'))).toEqual([]);
    await client.close();
  });
});
