import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '@evenkeel/broker';
import { edgeKey, exchanges, fenceKey } from '@evenkeel/protocol';
import { RawClient, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rabbitmqctl } from '../support/broker.js';
import { comeTo, EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** Processes that are killed or frozen, and connections to the broker that break, while a session moves. */

const env = { SETTLE_TIMEOUT_MS: '300', TAKEOVER_RETRY_MS: '200', TAKEOVER_TIMEOUT_MS: '8000' };

let mesh: EdgeMesh;
/** Stays well throughout. */
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  b = await mesh.edge('b', env);
});
afterAll(() => mesh.close());

let nodes = 0;
/** Edges that their test has left well. */
const idle: EdgeUnderTest[] = [];

/** An edge that the test may ruin; one with settings of its own is new. */
async function mortal(extra?: Record<string, string>): Promise<EdgeUnderTest> {
  nodes += 1;
  const edge = (extra ? undefined : idle.pop()) ?? (await mesh.edge(`m${nodes}`, { ...env, ...extra }));
  onTestFinished(async () => {
    edge.member.resume();
    if (extra) await edge.member.kill();
    else if (edge.member.isRunning) idle.push(edge);
  });
  return edge;
}

/** An edge whose way to the broker can be cut. */
async function proxied(
  extra: Record<string, string> = {},
): Promise<{ edge: EdgeUnderTest; proxy: TcpProxy }> {
  const proxy = await TcpProxy.toUrl(mesh.amqpUrl);
  onTestFinished(() => proxy.close());
  return { edge: await mortal({ AMQP_URL: proxy.urlFor(mesh.urlFor('edge')), ...extra }), proxy };
}

/** Hears of all that goes to these keys of `mesh.control`. */
async function overhear(keys: readonly string[], onDelivery: (delivery: Delivery) => void): Promise<void> {
  const name = `overheard.${randomUUID()}`;
  await mesh.topology.declareQueue({ name, durable: false, exclusive: true });
  for (const key of keys) await mesh.topology.bind(name, exchanges.control, key);
  const consumer = await mesh.broker.consumers().consume(name, {
    onDelivery: (delivery) => {
      delivery.ack();
      onDelivery(delivery);
    },
  });
  onTestFinished(async () => void (await consumer.cancel()));
}

describe('the source edge', () => {
  it('killed in the middle of a move: the target has everything unacknowledged, in order, at once', async () => {
    const a = await mortal({ SETTLE_TIMEOUT_MS: '20000' });
    const session = new SessionUnderTest('source-killed');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 10);
    await first.eventCount(10);
    const second = await mesh.follow(session, first, a, b);
    // It waits now for the last acknowledgement.
    await first.frame('moved');
    await a.member.kill();
    await second.eventCount(10);
    await mesh.numbers(session, 11, 12);
    await second.eventCount(12);
    expect(second.data).toEqual(range(1, 12));
    expect(second.events.map((e) => e.redelivered === true)).toEqual(range(1, 12).map((n) => n <= 10));
    await second.close();
  });

  it('frozen for a while: the target waits, and the move is done when it wakes', async () => {
    const a = await mortal();
    const session = new SessionUnderTest('source-frozen');
    const first = await session.attach(a);
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    await first.pinged();
    const { ticket } = await mesh.askToMove(session, first, a, b);
    a.member.pause();
    const second = await comeTo(b, ticket);
    await mesh.numbers(session, 4, 6);
    await second.pinged();
    expect(second.of('welcome')).toEqual([]);
    expect(await mesh.counts(session)).toMatchObject({ consumers: 1 });
    a.member.resume();
    await second.frame('welcome');
    await mesh.event(session, 7);
    await second.until('the newest', () => second.data.at(-1) === 7);
    await first.frame('moved');
    expect([...first.data, ...second.data]).toEqual(range(1, 7));
    await first.close();
    await second.close();
  });

  it('frozen with events in hand, and its commands queue deleted: the target does not take it for gone', async () => {
    const a = await mortal({ SETTLE_TIMEOUT_MS: '3000' });
    const session = new SessionUnderTest('source-frozen-deaf');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const queues = await rabbitmqctl('list_queues', '--vhost', mesh.vhost, '--no-table-headers', 'name');
    const commands = queues.split('\n').find((name) => name.startsWith(`control.${a.node}.`)) ?? '';
    const patient = await mortal({ TAKEOVER_TIMEOUT_MS: '60000' });
    const second = await mesh.follow(session, first, a, patient);
    await first.frame('moved');
    a.member.pause();
    await rabbitmqctl('delete_queue', '--vhost', mesh.vhost, commands);
    // Asked several times, it has no queue for that.
    await sleep(1_000);
    expect(await mesh.counts(session)).toMatchObject({ consumers: 0 });
    expect(second.of('welcome')).toEqual([]);
    a.member.resume();
    await mesh.numbers(session, 6, 8);
    await second.until('the newest', () => second.data.at(-1) === 8);
    expect(second.data).toEqual(range(1, 8));
    expect(second.events.map((e) => Boolean(e.redelivered))).toEqual(range(1, 8).map((n) => n <= 5));
    expect(second.of('gap')).toEqual([]);
    await first.close();
    await second.close();
  });

  it('frozen while its topic queue is to pass a fence: awake, it reads what has come first, and tells no gap', async () => {
    // What comes to the edge passes this process, which stops it as soon as it sees the fence.
    const { edge: a } = await proxied();
    let [takeovers, hasFence] = [0, false];
    await overhear([edgeKey(a.node), fenceKey(a.node, '*')], ({ key }) => {
      if (key === edgeKey(a.node)) takeovers += 1;
      else if (!hasFence) a.member.pause();
      hasFence ||= key !== edgeKey(a.node);
    });
    // An edge that has passed the fence before it stood still is no example.
    let isCaught = false;
    for (let n = 0; n < 50 && !isCaught; n++) {
      const session = new SessionUnderTest(`fence-frozen-${n}`);
      const topics = ['t'];
      const first = await session.attach(a, { topics });
      const { ticket } = await mesh.askToMove(session, first, a, b);
      const second = await RawClient.open(b.url, ticket);
      [takeovers, hasFence] = [0, false];
      second.send({ t: 'hello', resume: true, topics });
      // Asked so often in vain: it has stood still for longer than a fence waits.
      await second.until('an answer, or none', () => second.of('welcome').length > 0 || takeovers > 8);
      isCaught = first.of('moved').length === 0;
      a.member.resume();
      await second.frame('welcome');
      await first.frame('moved');
      expect(first.kinds).not.toContain('gap');
      await first.close();
      await second.close();
    }
    expect(isCaught).toBe(true);
  });
});

describe('the target edge', () => {
  it('killed before it asked: the session stays where it is, as if nothing had been', async () => {
    const [a, target] = await Promise.all([mortal(), mortal()]);
    const session = new SessionUnderTest('target-killed-early');
    const first = await session.attach(a);
    const { ticket } = await mesh.askToMove(session, first, a, target);
    const second = await RawClient.open(target.url, ticket);
    await target.member.kill();
    await second.closed;
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    expect(first.kinds).not.toContain('moved');
    await first.close();
  });

  it('killed after the source let go: the client comes back through another with nothing missing', async () => {
    const [a, target] = await Promise.all([mortal(), mortal()]);
    const session = new SessionUnderTest('target-killed-late');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const second = await mesh.follow(session, first, a, target, {}, { acks: false });
    await second.eventCount(5);
    await target.member.kill();
    await second.closed;
    await mesh.numbers(session, 6, 7);
    const third = await session.attach(
      b,
      { resume: true },
      { from: `${target.node},${a.node}`, epoch: later() },
    );
    await third.eventCount(7);
    expect(third.data).toEqual(range(1, 7));
    await first.close();
    await third.close();
  });

  it('frozen before it asked: the source goes on delivering', async () => {
    const [a, target] = await Promise.all([mortal(), mortal()]);
    const session = new SessionUnderTest('target-frozen');
    const first = await session.attach(a);
    const { ticket } = await mesh.askToMove(session, first, a, target);
    const second = await RawClient.open(target.url, ticket);
    target.member.pause();
    second.send({ t: 'hello', resume: true });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    target.member.resume();
    await second.frame('welcome');
    await mesh.event(session, 6);
    await second.eventCount(1);
    expect(second.data).toEqual([6]);
    await first.close();
    await second.close();
  });
});

describe('a connection to the broker', () => {
  it('cut: the sockets stay, what was unacknowledged comes again, topics tell a gap, and all goes on', async () => {
    const { edge, proxy } = await proxied();
    const session = new SessionUnderTest('cut');
    const client = await session.attach(edge, { topics: ['t'] }, {}, { acks: false });
    await mesh.numbers(session, 1, 4);
    await client.eventCount(4);
    client.ack(2);
    await mesh.settled(session, { messages: 0 });
    await client.pinged();
    proxy.cut();
    await mesh.numbers(session, 5, 6);
    await client.frame('gap', (f) => f.topic === 't' && f.reason === 'broker-lost');
    await mesh.message('t', 'after');
    await client.frame('message');
    await client.until('the newest', () => client.data.at(-1) === 6);
    const again = client.events.slice(4);
    const begin = Number(again[0]?.data);
    // The acknowledgement of 2 may have been lost on its way.
    expect([1, 3]).toContain(begin);
    expect(again.map((e) => e.data)).toEqual(range(begin, 6));
    // Of the rest, what the broker had sent into the dying connection may be marked as well.
    const repeats = again.filter((e) => Number(e.data) <= 4);
    expect(repeats.every((e) => e.redelivered)).toBe(true);
    expect(again.map((e) => e.seq)).toEqual(range(5, 4 + again.length));
    expect(client.kinds.filter((t) => t === 'gap')).toHaveLength(1);
    await client.close();
  });

  it('of the source, lost in the middle of a move: the target does not wait', async () => {
    const { edge: a, proxy } = await proxied();
    const session = new SessionUnderTest('source-cut');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const { ticket } = await mesh.askToMove(session, first, a, b);
    proxy.refuse();
    proxy.cut();
    const second = await comeTo(b, ticket);
    await second.eventCount(5);
    expect(second.data).toEqual(range(1, 5));
    expect(second.events.every((e) => e.redelivered)).toBe(true);
    await first.close();
    proxy.allow();
    await mesh.event(session, 6);
    await second.eventCount(6);
    await second.close();
  });

  it('of the source, cut while it waits for the last ack: what comes again is marked', async () => {
    const { edge: a, proxy } = await proxied({ SETTLE_TIMEOUT_MS: '1500' });
    // Asks so seldom that the answer of the source comes first.
    const target = await mortal({ TAKEOVER_RETRY_MS: '5000' });
    const session = new SessionUnderTest('source-cut-settling');
    const first = await session.attach(a, {}, {}, { acks: false });
    await mesh.numbers(session, 1, 5);
    await first.eventCount(5);
    const second = await mesh.follow(session, first, a, target);
    await first.frame('moved');
    proxy.cut();
    await second.eventCount(5);
    expect(second.data).toEqual(range(1, 5));
    expect(second.events.map((e) => e.redelivered)).toEqual(range(1, 5).map(() => true));
    await first.close();
    await second.close();
  });

  it('of the source, back after another edge has the session: it keeps its hands off it', async () => {
    const { edge: a, proxy } = await proxied();
    const session = new SessionUnderTest('source-returns');
    const first = await session.attach(a);
    first.freeze();
    proxy.refuse();
    proxy.cut();
    const second = await session.attach(b, { resume: true }, { from: a.node });
    proxy.allow();
    const neighbour = new SessionUnderTest('neighbour');
    await (await neighbour.attach(a)).close();
    await mesh.settled(session, { consumers: 1 });
    await mesh.event(session, 1);
    await second.eventCount(1);
    first.thaw();
    expect(await first.closed).toEqual({ code: 4501, reason: 'superseded' });
    expect(first.events).toEqual([]);
    await second.close();
  });

  it('of the target, cut while it waits for the source: the move is done when it is back', async () => {
    const a = await mortal();
    const { edge: target, proxy } = await proxied();
    const session = new SessionUnderTest('target-cut');
    const first = await session.attach(a);
    const { ticket } = await mesh.askToMove(session, first, a, target);
    a.member.pause();
    const second = await comeTo(target, ticket, { topics: ['t'] });
    await second.pinged();
    proxy.cut();
    a.member.resume();
    await mesh.numbers(session, 1, 3);
    await second.frame('welcome');
    await mesh.event(session, 4);
    await second.until('the newest', () => second.data.at(-1) === 4);
    expect([...first.data, ...second.data]).toEqual(range(1, 4));
    await first.close();
    await second.close();
  });

  it('frozen on the way between source and broker: nobody else consumes, and the move is done when it thaws', async () => {
    const { edge: a, proxy } = await proxied();
    const session = new SessionUnderTest('source-network-frozen');
    const first = await session.attach(a);
    await mesh.numbers(session, 1, 3);
    await first.eventCount(3);
    await mesh.settled(session, { messages: 0 });
    await first.pinged();
    const { ticket } = await mesh.askToMove(session, first, a, b);
    proxy.pause();
    const second = await comeTo(b, ticket);
    await mesh.numbers(session, 4, 5);
    await second.pinged();
    expect(await mesh.counts(session)).toMatchObject({ consumers: 1 });
    expect(second.kinds).toEqual(['pong']);
    proxy.resume();
    await second.frame('welcome');
    await mesh.event(session, 6);
    await second.until('the newest', () => second.data.at(-1) === 6);
    expect([...first.data, ...second.data]).toEqual(range(1, 6));
    await first.close();
    await second.close();
  });

  it('all of them closed by the broker: every session is served again and nothing is missing', async () => {
    const a = await mortal();
    const sessions = range(1, 20).map((n) => new SessionUnderTest(`all-${n}`));
    const clients = await Promise.all(sessions.map((s, n) => s.attach(n % 2 ? a : b)));
    for (const session of sessions) await mesh.event(session, 1);
    for (const client of clients) await client.eventCount(1);
    await rabbitmqctl('close_all_connections', '--vhost', mesh.vhost, 'test');
    for (const session of sessions) await mesh.event(session, 2);
    for (const client of clients) {
      await client.until('the second', () => client.data.at(-1) === 2, 20_000);
      expect([...new Set(client.data)]).toEqual([1, 2]);
      const repeats = client.events.filter((e) => e.redelivered).map((e) => e.data);
      expect([[], [1]]).toContainEqual(repeats);
      expect(client.data.length - repeats.length).toBe(2);
      await client.close();
    }
  });
});

const later = (): number => Date.now() + 60_000;
