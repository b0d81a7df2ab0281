import { exchanges, sessionQueue } from '@evenkeel/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let hasty: EdgeUnderTest;
/** Waits for a hello as short a time as may be. */
let curt: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [edge, hasty, curt] = await Promise.all([
    mesh.edge('e1', { WINDOW: '8', MAX_TOPICS: '3', SESSION_MAX_LENGTH: '20' }),
    mesh.edge('e2', {
      ACK_TIMEOUT_MS: '500',
      REQUEST_TIMEOUT_MS: '300',
      // The window of an edge bounds what its sessions hold; their queues are alike on all edges.
      SESSION_MAX_LENGTH: '20',
    }),
    mesh.edge('e3', { HELLO_TIMEOUT_MS: '200', SESSION_MAX_LENGTH: '20' }),
  ]);
});
afterAll(() => mesh.close());

describe('attaching', () => {
  it('welcomes a new session first of all, without a gap, and then delivers', async () => {
    const session = new SessionUnderTest('new');
    const client = await session.attach(edge, { topics: ['t.new'] });
    await mesh.event(session, { n: 1 });
    await client.eventCount(1);
    expect(client.kinds).toEqual(['welcome', 'event']);
    expect(client.frames[0]).toMatchObject({
      session: session.sid,
      node: 'e1',
      resumed: false,
      heartbeatMs: 15_000,
      window: 8,
    });
    expect(client.frames[1]).toMatchObject({ seq: 1, name: 'n', data: { n: 1 } });
    await client.close();
  });

  it('gives every session of a user every event', async () => {
    const tabs = [new SessionUnderTest('tabs'), new SessionUnderTest('tabs')];
    const clients = await Promise.all(tabs.map((tab) => tab.attach(edge)));
    await mesh.numbers({ uid: 'tabs' }, 1, 20);
    for (const client of clients) {
      await client.eventCount(20);
      expect(client.data).toEqual(range(1, 20));
      await client.close();
    }
  });

  it.each(['*', '#', 'a.b', 'a b', '*.#', 'ünï✓', 'x'.repeat(65), '\u0000', '~x'])(
    'carries the user id %j as one word: its own events and nobody else’s',
    async (user) => {
      const odd = new SessionUnderTest(user);
      const other = new SessionUnderTest('bystander');
      const clients = await Promise.all([odd.attach(edge), other.attach(edge)]);
      await mesh.event(odd, 'for the odd one');
      await mesh.event(other, 'for the other');
      await clients[0].eventCount(1);
      await clients[1].eventCount(1);
      await Promise.all(clients.map((client) => client.pinged()));
      expect(clients[0].data).toEqual(['for the odd one']);
      expect(clients[1].data).toEqual(['for the other']);
      await Promise.all(clients.map((client) => client.close()));
    },
  );

  it('holds at most a window per session', async () => {
    const session = new SessionUnderTest('window');
    const client = await session.attach(edge, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 15);
    await client.eventCount(8);
    await mesh.settled(session, { messages: 7, consumers: 1 });
    await client.pinged();
    expect(client.data).toEqual(range(1, 8));
    client.ack(5);
    await client.eventCount(13);
    client.acks = true;
    client.ack(13);
    await client.eventCount(15);
    expect(client.data).toEqual(range(1, 15));
    await client.close();
  });

  it('closes with 4002 when no hello comes, and delivers nothing before', async () => {
    const session = new SessionUnderTest('mute');
    const client = await session.open(curt);
    expect(await client.closed).toMatchObject({ code: 4002, reason: 'hello-timeout' });
    expect(client.frames).toEqual([]);
  });

  it('closes with 4004 when an event stays unacknowledged; the next socket gets it again', async () => {
    const session = new SessionUnderTest('silent');
    const client = await session.attach(hasty, {}, {}, { acks: false });
    await mesh.event(session, 'unheard');
    expect(await client.closed).toMatchObject({ code: 4004, reason: 'ack-timeout' });
    const next = await session.attach(edge, { resume: true }, { from: 'e2' });
    await next.eventCount(1);
    expect(next.events[0]).toMatchObject({ data: 'unheard', redelivered: true });
    await next.close();
  });

  it('uses a queue that was declared with other arguments as it is, and says so in the log', async () => {
    const session = new SessionUnderTest('other-arguments');
    await mesh.topology.declareQueue({
      name: session.queue,
      arguments: { 'x-single-active-consumer': true, 'x-expires': 77_000 },
    });
    const client = await session.attach(edge, { resume: true }, { isNew: false });
    await mesh.event(session, 'there');
    await client.eventCount(1);
    expect(client.frames[0]).toMatchObject({ t: 'welcome', resumed: true });
    expect(edge.hasLogged('queue differs, used as it is')).toBe(true);
    await client.close();
  });
});

describe('coming back', () => {
  it('gives again, marked and in order, what was not acknowledged, then what came meanwhile; nothing else', async () => {
    const session = new SessionUnderTest('resume');
    const first = await session.attach(edge, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 6);
    await first.eventCount(6);
    first.ack(2);
    await first.pinged();
    first.terminate();
    // The seal is among them.
    await mesh.settled(session, { consumers: 0, messages: 5 });
    await mesh.numbers(session, 7, 10);
    const second = await session.attach(edge, { resume: true }, { from: 'e1' });
    await second.eventCount(8);
    expect(second.frames[0]).toMatchObject({ t: 'welcome', resumed: true });
    expect(second.kinds).not.toContain('gap');
    expect(second.data).toEqual(range(3, 10));
    expect(second.events.map((e) => e.seq)).toEqual(range(1, 8));
    expect(second.events.map((e) => e.redelivered === true)).toEqual(range(3, 10).map((n) => n <= 6));
    expect(second.events.slice(0, 4).map((e) => e.id)).toEqual(first.events.slice(2).map((e) => e.id));
    await second.close();
  });

  it('gives nothing again that counted as handled when written', async () => {
    const session = new SessionUnderTest('write');
    const first = await session.attach(edge, { ack: 'write' }, {}, { acks: false });
    await mesh.numbers(session, 1, 12);
    await first.eventCount(12);
    await first.close();
    await mesh.numbers(session, 13, 13);
    const second = await session.attach(edge, { resume: true });
    await second.eventCount(1);
    expect(second.data).toEqual([13]);
    await second.close();
  });

  it('says session-expired right after welcome when the queue has gone', async () => {
    const session = new SessionUnderTest('expired');
    await (await session.attach(edge)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.topology.deleteQueue(session.queue);
    const client = await session.attach(edge, { resume: true });
    await mesh.event(session, 1);
    await client.eventCount(1);
    expect(client.kinds).toEqual(['welcome', 'gap', 'event']);
    expect(client.frames[0]).toMatchObject({ resumed: false });
    expect(client.frames[1]).toMatchObject({ t: 'gap', reason: 'session-expired' });
    expect(client.frames[1]).not.toHaveProperty('topic');
    await client.close();
  });

  it('tells nothing to a client that comes back in time, however long it says that it was away', async () => {
    const session = new SessionUnderTest('away');
    await (await session.attach(edge)).close();
    for (const awayMs of [1_000, 299_000]) {
      const client = await session.attach(edge, { resume: true, awayMs });
      await mesh.event(session, awayMs);
      await client.eventCount(1);
      await client.pinged();
      expect(client.kinds).toEqual(['welcome', 'event', 'pong']);
      await client.close();
    }
  });

  it('tells a gap for every topic after a loss, and none to a client without state', async () => {
    const session = new SessionUnderTest('topics');
    await (await session.attach(edge, { topics: ['t.a'] })).close();
    const resumed = await session.attach(edge, { resume: true, topics: ['t.a', 't.b'] });
    await resumed.pinged();
    const gaps = resumed.of('gap').sort((a, b) => String(a.topic).localeCompare(String(b.topic)));
    expect(gaps).toEqual([
      { t: 'gap', topic: 't.a', reason: 'connection-lost' },
      { t: 'gap', topic: 't.b', reason: 'connection-lost' },
    ]);
    await resumed.close();
    const fresh = await session.attach(edge, { topics: ['t.a'] });
    await fresh.pinged();
    expect(fresh.of('gap')).toEqual([]);
    await fresh.close();
  });

  it('tells overflow before the first event after it, to a client that stayed', async () => {
    const session = new SessionUnderTest('overflow');
    const client = await session.attach(edge, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 51);
    await mesh.settled(session, { messages: 21 });
    client.acks = true;
    client.ack(8);
    await client.until('the newest', () => client.data.at(-1) === 51);
    const gapAt = client.kinds.indexOf('gap');
    expect(client.frames[gapAt]).toEqual({ t: 'gap', reason: 'overflow' });
    expect(client.frames[gapAt - 1]).toMatchObject({ data: 8 });
    expect(client.data).toEqual([...range(1, 8), ...range(31, 51)]);
    await client.close();
  });

  it('tells overflow to a client that was away', async () => {
    const session = new SessionUnderTest('overflow-away');
    await (await session.attach(edge)).close();
    await mesh.settled(session, { consumers: 0 });
    await mesh.numbers(session, 1, 26);
    const client = await session.attach(edge, { resume: true });
    await client.eventCount(21);
    expect(client.kinds.slice(0, 3)).toEqual(['welcome', 'gap', 'event']);
    expect(client.frames[1]).toEqual({ t: 'gap', reason: 'overflow' });
    // One more than the limit, in the place of the seal.
    expect(client.data).toEqual(range(6, 26));
    await client.close();
  });

  it('tells a client that stays when its queue is deleted, and goes on delivering', async () => {
    const session = new SessionUnderTest('deleted');
    const client = await session.attach(edge);
    await mesh.event(session, 1);
    await client.eventCount(1);
    await mesh.topology.deleteQueue(session.queue);
    expect(await client.frame('gap')).toEqual({ t: 'gap', reason: 'session-expired' });
    await mesh.settled(session, { consumers: 1 });
    await mesh.event(session, 2);
    await client.eventCount(2);
    expect(client.data).toEqual([1, 2]);
    await client.close();
  });
});

describe('topics, publishes and requests', () => {
  it('brings every later message of a topic once subscribe is answered, the same to all, and none after unsubscribe', async () => {
    const clients = await Promise.all(['p', 'q'].map((user) => new SessionUnderTest(user).attach(edge)));
    for (const client of clients) {
      client.send({ t: 'subscribe', id: 7, topic: 'news.world' });
      expect(await client.frame('ok')).toEqual({ t: 'ok', re: '7' });
    }
    for (const n of range(1, 10)) await mesh.message('news.world', n);
    for (const client of clients) await client.until('messages', () => client.of('message').length === 10);
    expect(clients[0]?.of('message')).toEqual(clients[1]?.of('message'));
    expect(clients[0]?.of('message').map((m) => m.data)).toEqual(range(1, 10));
    clients[0]?.send({ t: 'unsubscribe', id: 8, topic: 'news.world' });
    await clients[0]?.frame('ok', (f) => f.re === '8');
    await mesh.message('news.world', 11);
    await clients[1]?.until('one more', () => clients[1]?.of('message').length === 11);
    await clients[0]?.pinged();
    expect(clients[0]?.of('message')).toHaveLength(10);
    await Promise.all(clients.map((client) => client.close()));
  });

  it.each(['a.*b', 'a.#.', 'a..b', '', '.a', 'a b', 'x'.repeat(201)])(
    'refuses the topic %j',
    async (topic) => {
      const client = await new SessionUnderTest('bad-topic').attach(edge);
      client.send({ t: 'subscribe', id: 'x', topic });
      expect(await client.frame('error')).toMatchObject({ re: 'x', code: 'bad-topic' });
      client.send({ t: 'publish', id: 'y', topic, data: 1 });
      expect(await client.frame('error', (f) => f.re === 'y')).toMatchObject({ code: 'bad-topic' });
      await client.pinged();
      await client.close();
    },
  );

  it.each(['#', '*', 'a.*'])('lets nobody publish to the pattern %j', async (topic) => {
    const client = await new SessionUnderTest('bad-topic').attach(edge);
    client.send({ t: 'publish', id: 'y', topic, data: 1 });
    expect(await client.frame('error')).toMatchObject({ re: 'y', code: 'bad-topic' });
    await client.close();
  });

  it('answers topic-limit beyond the limit and keeps the others', async () => {
    const client = await new SessionUnderTest('many').attach(edge, { topics: ['m1', 'm2', 'm3', 'm4'] });
    expect(await client.frame('error')).toMatchObject({ code: 'topic-limit' });
    for (const topic of ['m1', 'm2', 'm3', 'm4']) await mesh.message(topic, topic);
    await client.until('three', () => client.of('message').length === 3);
    await client.pinged();
    expect(client.of('message').map((m) => m.topic)).toEqual(['m1', 'm2', 'm3']);
    await client.close();
  });

  it('answers a publish once it is with a service, says who sent it, and says so when there is none', async () => {
    const session = new SessionUnderTest('a.publisher');
    const client = await session.attach(edge);
    client.send({ t: 'publish', id: 'p1', topic: 'nobody.listens', data: 1 });
    expect(await client.frame('error')).toMatchObject({ re: 'p1', code: 'no-service' });
    await mesh.topology.declareQueue({ name: 'service', arguments: {} });
    await mesh.topology.bind('service', exchanges.inbound, 'orders.#');
    const got: { body: unknown; headers: Record<string, unknown>; messageId: unknown }[] = [];
    await mesh.broker.consumers().consume('service', {
      onDelivery: (delivery) => {
        delivery.ack();
        const { headers, messageId, replyTo, correlationId } = delivery.properties;
        got.push({ body: JSON.parse(delivery.body.toString()), headers, messageId });
        if (replyTo) void mesh.publisher.publish('', replyTo, '{"total":3}', { correlationId });
      },
    });
    client.send({ t: 'publish', id: 'p2', topic: 'orders.new', data: { n: 2 } });
    expect(await client.frame('ok')).toEqual({ t: 'ok', re: 'p2' });
    await client.until('the service has it', () => got.length === 1);
    expect(got[0]).toMatchObject({
      body: { n: 2 },
      messageId: `${session.uid}.${session.sid}.p2`,
      headers: { 'evenkeel-user': 'a.publisher', 'evenkeel-session': session.sid },
    });
    // Long ones go out without being copied, and come back without their bodies.
    const long = (n: number) => Array.from({ length: 9_000 }, () => n);
    for (let n = 0; n < 6; n += 1)
      client.send({
        t: 'publish',
        id: `l${n}`,
        topic: n % 2 === 0 ? 'orders.long' : 'nobody.long',
        data: long(n),
      });
    await client.until('all answered', () => client.of('ok').length + client.of('error').length === 8);
    expect(client.of('ok').map(({ re }) => re)).toEqual(['p2', 'l0', 'l2', 'l4']);
    expect(client.of('error').map(({ re, code }) => [re, code])).toEqual(
      ['p1', 'l1', 'l3', 'l5'].map((re) => [re, 'no-service']),
    );
    await client.until('the service has them', () => got.length === 4);
    expect(got.slice(1).map(({ body }) => body)).toEqual([0, 2, 4].map(long));
    client.send({ t: 'request', id: 'r1', method: 'orders.sum', data: null });
    expect(await client.frame('ok', (f) => f.re === 'r1')).toEqual({ t: 'ok', re: 'r1', data: { total: 3 } });
    await client.close();
  });

  it('answers request-timeout when the service says nothing', async () => {
    await mesh.topology.declareQueue({ name: 'black-hole', arguments: {} });
    await mesh.topology.bind('black-hole', exchanges.inbound, 'void.#');
    const client = await new SessionUnderTest('waits').attach(hasty);
    client.send({ t: 'request', id: 'r', method: 'void.ask', data: null });
    expect(await client.frame('error')).toMatchObject({ re: 'r', code: 'request-timeout' });
    await client.close();
  });

  it('serves a bare client: bodies as they are, text or binary, and nothing it sends does harm', async () => {
    const session = new SessionUnderTest('bare');
    const client = await session.open(edge, {}, { protocol: undefined });
    await mesh.settled(session, { consumers: 1 });
    client.send('not json');
    client.send(Buffer.from([0, 1, 2]));
    await mesh.event(session, { a: [1] });
    const key = `user.${session.uid}.x`;
    await mesh.publisher.publish(exchanges.events, key, Buffer.from([0xff, 0xfe]), {});
    await client.until('both', () => client.messages.length === 2);
    expect(client.messages).toEqual(['{"a":[1]}', Buffer.from([0xff, 0xfe])]);
    await client.close();
    await mesh.settled(session, { consumers: 0, messages: 0 });
    expect(sessionQueue(session.uid, session.sid)).toBe(session.queue);
  });
});
