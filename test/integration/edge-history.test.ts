import { historyQueue } from '@evenkeel/protocol';
import { type RawClient, type RawFrame, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';
import { metric } from '../support/metric.js';

const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    room: { subscribe: 'anyone', history: { size: 100, seconds: 3600 } },
    short: { subscribe: 'anyone', history: { size: 5, seconds: 3600 } },
    old: { subscribe: 'anyone', history: { size: 100, seconds: 3600 } },
    big: { subscribe: 'anyone', history: { size: 1000, seconds: 3600 } },
    // Whoever publishes as fast as it goes fills a hundred in less time than a busy machine may take over a move.
    flow: { subscribe: 'anyone', history: { size: 100_000, seconds: 3600 } },
  },
});
const env = { NAMESPACES: namespaces, SETTLE_TIMEOUT_MS: '400', TAKEOVER_RETRY_MS: '200' };

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  // The second one keeps little in memory, so it reads most from the stream.
  [a, b] = await Promise.all([mesh.edge('a', env), mesh.edge('b', { ...env, HISTORY_TAIL_MESSAGES: '10' })]);
});
afterAll(() => mesh.close());

async function messages(topic: string, from: number, to: number): Promise<void> {
  for (const n of range(from, to)) await mesh.message(topic, n);
}

const of = (client: RawClient, topic: string): RawFrame[] =>
  client.frames.filter((frame) => frame.t === 'message' && frame.topic === topic);
const data = (client: RawClient, topic: string) => of(client, topic).map((frame) => frame.data);
const gaps = (client: RawClient) => client.frames.filter(({ t }) => t === 'gap');
const positionOf = (client: RawClient, topic: string) => of(client, topic).at(-1)?.position as string;
const until = (client: RawClient, topic: string, n: number) =>
  client.until(`${n} of ${topic}`, () => data(client, topic).at(-1) === n);

async function subscribe(client: RawClient, wanted: { id: string; topic: string }): Promise<RawFrame> {
  client.send({ t: 'subscribe', ...wanted });
  return await client.frame('ok', ({ re }) => re === wanted.id);
}

/** Sees everything of a topic, from now on. */
async function observe(edge: EdgeUnderTest, topic: string): Promise<RawClient> {
  return await new SessionUnderTest(`observer-${topic}`).attach(edge, { topics: [topic] });
}

describe('a topic with history', () => {
  it('has the same positions on every edge, and `subscribed` for hello before its first message', async () => {
    const [one, other] = await Promise.all([observe(a, 'room.same'), observe(b, 'room.same')]);
    await messages('room.same', 1, 20);
    await Promise.all([until(one, 'room.same', 20), until(other, 'room.same', 20)]);
    const positions = of(one, 'room.same').map(({ position }) => position);
    expect(new Set(positions).size).toBe(20);
    expect(of(other, 'room.same').map(({ position }) => position)).toEqual(positions);
    expect(one.kinds.indexOf('subscribed')).toBeLessThan(one.kinds.indexOf('message'));
    expect(one.of('subscribed')).toMatchObject([{ topic: 'room.same', by: 'hello', recovered: true }]);
    await Promise.all([one.close(), other.close()]);
  });

  it('gives what came since a position, on any edge, from memory or the stream: ok, then the past, then what comes', async () => {
    const seen = await observe(a, 'room.since');
    await messages('room.since', 1, 50);
    await until(seen, 'room.since', 50);
    const since = of(seen, 'room.since')[19]?.position as string;
    for (const edge of [a, b]) {
      const client = await new SessionUnderTest('since').attach(edge);
      const ok = await subscribe(client, { id: '1', topic: 'room.since', since } as never);
      expect(ok.data).toMatchObject({ recovered: true, position: expect.any(String) });
      await until(client, 'room.since', 50);
      expect(data(client, 'room.since')).toEqual(range(21, 50));
      expect(of(client, 'room.since').every(({ past }) => past === true)).toBe(true);
      expect(gaps(client)).toEqual([]);
      await client.close();
    }
    const live = await new SessionUnderTest('since-live').attach(b, {
      topics: [{ topic: 'room.since', since }],
    });
    await until(live, 'room.since', 50);
    await messages('room.since', 51, 55);
    await until(live, 'room.since', 55);
    expect(data(live, 'room.since')).toEqual(range(21, 55));
    expect(of(live, 'room.since').filter(({ past }) => past !== true).length).toBeGreaterThan(0);
    await Promise.all([live.close(), seen.close()]);
  });

  it('is read by an edge that starts while messages come all the time', async () => {
    let [n, isFlowing] = [0, true];
    const flowing = (async () => {
      while (isFlowing) {
        await mesh.message('room.busy', ++n);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const late = await mesh.edge('late', env);
    const client = await new SessionUnderTest('busy').attach(late, {
      topics: [{ topic: 'room.busy', last: 5 }],
    });
    await client.until('some', () => data(client, 'room.busy').length > 20);
    isFlowing = false;
    await flowing;
    await until(client, 'room.busy', n);
    const [first = 0] = data(client, 'room.busy') as number[];
    expect(data(client, 'room.busy')).toEqual(range(first, n));
    await client.close();
  });

  it('gives the last messages that there are, and never a gap', async () => {
    await messages('room.last', 1, 30);
    // What others have published lies behind, so that the second edge has none of it in memory.
    await messages('room.other', 1, 20);
    for (const edge of [a, b]) {
      const client = await new SessionUnderTest('last').attach(edge);
      for (const [id, last, expected] of [
        ['1', 5, range(26, 30)],
        ['2', 1_000, range(1, 30)],
      ] as const) {
        const from = data(client, 'room.last').length;
        await subscribe(client, { id, topic: 'room.last', last } as never);
        await client.until('the last', () => data(client, 'room.last').length === from + expected.length);
        expect(data(client, 'room.last').slice(from)).toEqual(expected);
      }
      const none = await subscribe(client, { id: '3', topic: 'room.nobody', last: 5 } as never);
      expect(none.data).toMatchObject({ recovered: true });
      expect(gaps(client)).toEqual([]);
      await client.close();
    }
  });

  it('where some of what was asked for is gone there is one gap and none of it, and then what comes', async () => {
    const seen = await observe(a, 'short.1');
    await messages('short.1', 1, 12);
    await until(seen, 'short.1', 12);
    const since = (n: number) => of(seen, 'short.1')[n - 1]?.position as string;
    const foreign = `${since(12).split('-')[0]}-0000000000`;
    for (const edge of [a, b]) {
      for (const [what, position] of [
        ['one too many', since(6)],
        ['another life', foreign],
        ['unreadable', 'nonsense'],
      ] as const) {
        const client = await new SessionUnderTest(`gone-${edge.node}`).attach(edge);
        const ok = await subscribe(client, { id: '1', topic: 'short.1', since: position } as never);
        expect(ok.data, what).toMatchObject({ recovered: false });
        await client.frame('gap');
        await subscribe(client, { id: '2', topic: 'short.1' });
        expect(gaps(client), what).toEqual([{ t: 'gap', topic: 'short.1', reason: 'history-lost' }]);
        expect(data(client, 'short.1'), what).toEqual([]);
        await client.close();
      }
      const whole = await new SessionUnderTest(`whole-${edge.node}`).attach(edge);
      await subscribe(whole, { id: '1', topic: 'short.1', since: since(7) } as never);
      await until(whole, 'short.1', 12);
      expect(data(whole, 'short.1')).toEqual(range(8, 12));
      await whole.close();
    }
    await seen.close();
  });

  it('goes on over moves under traffic with every message once and in order, compared by nobody', async () => {
    const session = new SessionUnderTest('mover');
    let client = await session.attach(a, { topics: ['flow.move'] });
    let [n, isFlowing] = [0, true];
    const flowing = (async () => {
      while (isFlowing) await mesh.message('flow.move', ++n);
    })();
    const seen: RawFrame[] = [];
    for (let round = 0; round < 8; round += 1) {
      const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
      await client.until('some', () => of(client, 'flow.move').length > 20);
      const second = await mesh.follow(session, client, from, to, {
        topics: [{ topic: 'flow.move', since: positionOf(client, 'flow.move') }],
      });
      await second.frame('welcome');
      await client.frame('moved');
      expect(second.kinds.slice(0, 2)).not.toContain('message');
      expect(gaps(client)).toEqual([]);
      seen.push(...of(client, 'flow.move'));
      await client.close();
      client = second;
    }
    isFlowing = false;
    await flowing;
    await until(client, 'flow.move', n);
    seen.push(...of(client, 'flow.move'));
    expect(seen.map((frame) => frame.data)).toEqual(range(1, n));
    expect(gaps(client)).toEqual([]);
    await client.close();
  });

  it('is sent on behind what a client was too slow for: nothing is missing and no gap is told', async () => {
    const client = await new SessionUnderTest('slow').attach(a, { topics: ['big.1'] });
    const text = 'x'.repeat(60_000);
    const tooSlow = () => metric(a.member, 'evenkeel_history_late_total');
    const before = await tooSlow();
    client.freeze();
    let last = 0;
    // How much the system takes in for a client that reads nothing differs from one to the other.
    do {
      for (const _ of range(1, 50)) await mesh.message('big.1', { n: ++last, text });
    } while ((await tooSlow()) === before && last < 900);
    client.thaw();
    const numbers = () => data(client, 'big.1').map((each) => (each as { n: number }).n);
    await client.until('all of them', () => numbers().at(-1) === last, 30_000);
    await mesh.message('big.1', { n: ++last });
    await client.until('one more', () => numbers().at(-1) === last);
    expect(numbers()).toEqual(range(1, last));
    expect(gaps(client)).toEqual([]);
    expect(of(client, 'big.1').some(({ past }) => past === true)).toBe(true);
    await client.close();
  });

  it('has no gap when its edge loses the broker for a moment', async () => {
    const proxy = await TcpProxy.toUrl(mesh.urlFor('edge'));
    mesh.defer(() => proxy.close());
    const edge = await mesh.edge('proxied', { ...env, AMQP_URL: proxy.urlFor(mesh.urlFor('edge')) });
    const client = await new SessionUnderTest('survivor').attach(edge, {
      topics: ['room.lost', 'plain.lost'],
    });
    await messages('room.lost', 1, 5);
    await until(client, 'room.lost', 5);
    proxy.cut();
    await messages('room.lost', 6, 15);
    await until(client, 'room.lost', 15);
    expect(data(client, 'room.lost')).toEqual(range(1, 15));
    await client.frame('gap', ({ topic }) => topic === 'plain.lost');
    expect(gaps(client).filter(({ topic }) => topic === 'room.lost')).toEqual([]);
    await client.close();
  });

  it('tells one gap when its stream was deleted and made again, and positions of before are gone', async () => {
    const client = await new SessionUnderTest('deleted').attach(a, { topics: ['old.1'] });
    await messages('old.1', 1, 5);
    await until(client, 'old.1', 5);
    const since = positionOf(client, 'old.1');
    await mesh.topology.deleteQueue(historyQueue('old'));
    await client.frame('gap', ({ topic }) => topic === 'old.1', 30_000);
    await messages('old.1', 6, 8);
    await until(client, 'old.1', 8);
    expect(data(client, 'old.1')).toEqual(range(1, 8));
    expect(gaps(client)).toEqual([{ t: 'gap', topic: 'old.1', reason: 'history-lost' }]);
    const other = await new SessionUnderTest('deleted-2').attach(a);
    const ok = await subscribe(other, { id: '1', topic: 'old.1', since } as never);
    expect(ok.data).toMatchObject({ recovered: false });
    await Promise.all([client.close(), other.close()]);
  });

  it('has patterns that bring live messages with positions; a pattern has no past', async () => {
    const client = await new SessionUnderTest('pattern').attach(a, { topics: ['room.p.*', '#'] });
    await messages('room.p.1', 1, 3);
    await until(client, 'room.p.1', 3);
    expect(data(client, 'room.p.1')).toEqual(range(1, 3));
    expect(of(client, 'room.p.1').every(({ position }) => typeof position === 'string')).toBe(true);
    client.send({ t: 'subscribe', id: '1', topic: 'room.*', last: 5 });
    expect(await client.frame('error')).toMatchObject({ re: '1', code: 'bad-topic' });
    await client.close();
  });
});
