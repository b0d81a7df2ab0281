import { randomUUID } from 'node:crypto';
import { exchanges } from '@evenkeel/protocol';
import { RawClient, type RawFrame, refusal } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comeTo, EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = { SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', env)]);
});
afterAll(() => mesh.close());

/** Moves the session as a client does: second socket, hello, welcome there. The first stays open. */
async function move(
  session: SessionUnderTest,
  client: RawClient,
  from: EdgeUnderTest,
  to: EdgeUnderTest,
  hello: object = {},
  options: { acks?: boolean } = {},
): Promise<RawClient> {
  const second = await mesh.follow(session, client, from, to, hello, options);
  await second.frame('welcome');
  return second;
}

/** Publishes numbers without a pause until told to stop; resolves with the last. */
function flow(publish: (n: number) => Promise<void>, inFlight = 8): () => Promise<number> {
  let [n, isFlowing] = [0, true];
  const lanes = Array.from({ length: inFlight }, async () => {
    while (isFlowing) {
      n += 1;
      await publish(n);
    }
  });
  return async () => {
    isFlowing = false;
    await Promise.all(lanes);
    return n;
  };
}

const last = (client: RawClient): RawFrame | undefined => client.frames.at(-1);

describe('a move', () => {
  it('keeps delivering on the first socket until the second edge asks; there moved is the last frame, here welcome the first', async () => {
    const session = new SessionUnderTest('mover');
    const first = await session.attach(a);
    await mesh.numbers(session, 1, 3);
    const { ticket, url, deadlineMs } = await mesh.askToMove(session, first, a, b, 12_000);
    expect({ url, deadlineMs }).toEqual({ url: b.url, deadlineMs: 12_000 });
    await mesh.numbers(session, 4, 6);
    const second = await RawClient.open(b.url, ticket);
    await mesh.numbers(session, 7, 9);
    await first.eventCount(9);
    second.send({ t: 'hello', resume: true });
    await second.frame('welcome');
    await mesh.numbers(session, 10, 12);
    await second.eventCount(3);
    await first.frame('moved');
    expect(first.data).toEqual(range(1, 9));
    expect(last(first)).toEqual({ t: 'moved', seq: 9, received: 0 });
    expect(second.kinds).toEqual(['welcome', 'event', 'event', 'event']);
    expect(second.frames[0]).toMatchObject({ node: 'b', session: session.sid, resumed: true });
    expect(second.data).toEqual(range(10, 12));
    expect(second.events.map((e) => [e.seq, e.redelivered])).toEqual(range(1, 3).map((n) => [n, undefined]));
    await first.close();
    await second.close();
  });

  it('back and forth under traffic: every event once, in order, none marked as a repeat', async () => {
    const session = new SessionUnderTest('ping-pong');
    let client = await session.attach(a);
    const stop = flow((n) => mesh.event(session, n, { messageId: `pp-${n}` }), 1);
    const seen: RawFrame[] = [];
    for (let round = 0; round < 15; round++) {
      const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
      await client.eventCount(5);
      const next = await move(session, client, from, to);
      await client.frame('moved');
      expect(last(client)).toMatchObject({ t: 'moved', seq: client.events.length });
      await client.close();
      seen.push(...client.events);
      client = next;
    }
    const end = await stop();
    await client.until('the last event', () => client.data.at(-1) === end);
    seen.push(...client.events);
    expect(seen.map((e) => e.data)).toEqual(range(1, end));
    expect(seen.filter((e) => e.redelivered)).toEqual([]);
    await client.close();
  });

  it('settles in order: what the client had not acknowledged in time comes again first, marked, then the rest', async () => {
    const session = new SessionUnderTest('late-acks');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 100);
    await first.eventCount(64);
    first.ack(10);
    await first.eventCount(74);
    const second = await move(session, first, a, b);
    await second.eventCount(90);
    expect(first.data).toEqual(range(1, 74));
    expect(last(first)).toMatchObject({ t: 'moved', seq: 74 });
    expect(second.data).toEqual(range(11, 100));
    expect(second.events.map((e) => e.redelivered === true)).toEqual(range(11, 100).map((n) => n <= 74));
    await first.close();
    await second.close();
  });

  it('takes acks after moved, and then nothing comes twice', async () => {
    const session = new SessionUnderTest('acks-after');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 20);
    await first.eventCount(20);
    const moving = move(session, first, a, b);
    const moved = await first.frame('moved');
    first.ack(Number(moved.seq));
    const second = await moving;
    await mesh.numbers(session, 21, 21);
    await second.eventCount(1);
    expect(second.data).toEqual([21]);
    await first.close();
    await second.close();
  });

  it('ignores acks that come after the session was given back: they settle nothing on the new edge', async () => {
    const session = new SessionUnderTest('stray-acks');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 10);
    await first.eventCount(10);
    const second = await move(session, first, a, b, {}, { acks: false });
    await second.eventCount(10);
    first.ack(10);
    first.send({ t: 'publish', id: 'late', topic: 'a', data: 1 });
    first.send('{"t":"what"}');
    await mesh.numbers(session, 11, 11);
    await second.eventCount(11);
    await second.close();
    // Those, and the seal.
    await mesh.settled(session, { consumers: 0, messages: 12 });
    expect(last(first)?.t).toBe('moved');
    const third = await session.attach(b, { resume: true }, { from: 'b,a' });
    await third.eventCount(11);
    expect(third.data).toEqual(range(1, 11));
    await first.close();
    await third.close();
  });

  it('counts in received what it answered; what came after moved was not looked at', async () => {
    await mesh.topology.declareQueue({ name: 'inbound', arguments: {} });
    await mesh.topology.bind('inbound', exchanges.inbound, 'in.#');
    const session = new SessionUnderTest('publisher');
    const first = await session.attach(a);
    for (const n of range(1, 30)) first.send({ t: 'publish', id: n, topic: 'in', data: n });
    const moving = move(session, first, a, b);
    let sent = 30;
    const publish = () => {
      sent += 1;
      first.send({ t: 'publish', id: sent, topic: 'in', data: sent });
    };
    const hasMoved = () => first.of('moved').length > 0;
    while (!hasMoved()) {
      publish();
      // One at a time: below the rate that is limited.
      await first.until('an answer, or moved', () => first.of('ok').length === sent || hasMoved());
    }
    publish();
    await moving;
    const received = Number(first.of('moved')[0]?.received);
    expect(first.of('ok').map((f) => Number(f.re))).toEqual(range(1, received));
    expect(received).toBeGreaterThanOrEqual(30);
    expect(received).toBeLessThan(sent);
    await mesh.topology.checkQueue('inbound').then((q) => expect(q?.messages).toBe(received));
    await first.close();
  });

  it('brings the reply to a request made before it on the new socket', async () => {
    await mesh.topology.declareQueue({ name: 'slow-service', arguments: {} });
    await mesh.topology.bind('slow-service', exchanges.inbound, 'slow.#');
    const asked: { replyTo: string; correlationId: string }[] = [];
    await mesh.broker.consumers().consume('slow-service', {
      onDelivery: (delivery) => {
        delivery.ack();
        const { replyTo = '', correlationId = '' } = delivery.properties;
        asked.push({ replyTo, correlationId });
      },
    });
    const session = new SessionUnderTest('asks');
    const first = await session.attach(a);
    first.send({ t: 'request', id: 'q', method: 'slow.ask', data: null });
    await first.until('the service was asked', () => asked.length === 1);
    const second = await move(session, first, a, b);
    const { replyTo, correlationId } = asked[0] ?? { replyTo: '', correlationId: '' };
    await mesh.publisher.publish('', replyTo, '42', { correlationId });
    expect(await second.frame('ok')).toEqual({ t: 'ok', re: 'q', data: 42 });
    await first.close();
    await second.close();
  });

  it('misses no message of a topic: what came on either socket is everything, in order on each', async () => {
    const session = new SessionUnderTest('reader');
    const topics = ['ticker'];
    let client = await session.attach(a, { topics });
    await mesh.message('ticker', 0);
    await client.frame('message');
    const stop = flow((n) => mesh.message('ticker', n), 4);
    const seen = new Set<unknown>();
    for (let round = 0; round < 25; round++) {
      const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
      const next = await move(session, client, from, to, { topics });
      await client.close();
      const got = client.of('message').map((m) => Number(m.data));
      for (const n of got) seen.add(n);
      expect(client.kinds).not.toContain('gap');
      expect(last(client)?.t).toBe('moved');
      client = next;
    }
    const end = await stop();
    await client.until('the last message', () => client.of('message').some((m) => m.data === end));
    for (const m of client.of('message')) seen.add(m.data);
    expect(end).toBeGreaterThan(200);
    expect(range(0, end).filter((n) => !seen.has(n))).toEqual([]);
    await client.close();
  });

  it('gives a topic message the same id on both edges, with and without a message id', async () => {
    const clients = await Promise.all(
      [a, b].map((e) => new SessionUnderTest('ids').attach(e, { topics: ['same'] })),
    );
    await mesh.message('same', 1);
    await mesh.publisher.publish(exchanges.events, 'topic.same', '2', { timestamp: 1_700_000_000 });
    for (const client of clients) await client.until('both', () => client.of('message').length === 2);
    const ids = clients.map((client) => client.of('message').map((m) => m.id));
    expect(ids[0]).toEqual(ids[1]);
    expect(ids[0]?.[1]).toMatch(/^~/);
    await Promise.all(clients.map((client) => client.close()));
  });

  it('that the client does not follow fails at its deadline, and the session stays', async () => {
    const session = new SessionUnderTest('stays');
    const client = await session.attach(a);
    await mesh.askToMove(session, client, a, b, 100);
    // Only when the first has been given up can it be asked again.
    await client.until('movable again', () => client.of('move').length >= 1);
    const again = setInterval(() => {
      void mesh.command('a', {
        command: 'reconnect',
        move: randomUUID(),
        to: { node: 'b', url: b.url },
        sessions: [session.key],
      });
    }, 100);
    try {
      await client.until('asked again', () => client.of('move').length === 2);
    } finally {
      clearInterval(again);
    }
    await mesh.event(session, 1);
    await client.eventCount(1);
    expect(client.of('moved')).toEqual([]);
    await client.close();
  });

  it('lets a client that has moved know, when it keeps its old socket, with 4001 after 5 s', async () => {
    const session = new SessionUnderTest('keeps');
    const first = await session.attach(a);
    const second = await move(session, first, a, b);
    expect(await first.closed).toEqual({ code: 4001, reason: 'moved' });
    await mesh.event(session, 1);
    await second.eventCount(1);
    await second.close();
  });

  it('closes a bare client with 1012, which comes back and misses nothing that came meanwhile', async () => {
    const session = new SessionUnderTest('bare');
    const bare = await session.open(a, {}, { protocol: undefined });
    await mesh.settled(session, { consumers: 1 });
    await mesh.command('a', {
      command: 'reconnect',
      move: randomUUID(),
      to: { node: 'b', url: b.url },
      sessions: [session.sid],
    });
    expect(await bare.closed).toEqual({ code: 1012, reason: 'service-restart' });
    await mesh.event(session, 'meanwhile');
    const next = await session.open(b, { from: 'a' }, { protocol: undefined });
    await next.until('it comes', () => next.messages.length === 1);
    expect(next.messages).toEqual(['"meanwhile"']);
    await next.close();
  });

  it('admits one socket with its ticket', async () => {
    const session = new SessionUnderTest('replay');
    const first = await session.attach(a);
    const { ticket } = await mesh.askToMove(session, first, a, b);
    const second = await comeTo(b, ticket);
    await second.frame('welcome');
    const { status, body } = await refusal(b.url, `?ticket=${ticket}`);
    expect({ status, code: body.error.code }).toEqual({ status: 401, code: 'ticket-used' });
    await mesh.event(session, 1);
    await second.eventCount(1);
    await first.close();
    await second.close();
  });
});
