import { BrokerError } from '@evenkeel/broker';
import type { GapReason } from '@evenkeel/protocol';
import { describe, expect, it, vi } from 'vitest';
import { openAccess } from '../../testing/access-world.js';
import type { Connection } from '../transport/connection.js';
import type { Leaving } from './ports.js';
import { Subscriptions } from './subscriptions.js';

/** Topics that are bound when the test says so. */
function make({ limit = 3 } = {}) {
  const asked: { topic: string; bind(): void; refuse(why?: Error): void; released: number }[] = [];
  const sent: { t: string; re?: string; code?: string }[] = [];
  const gaps: [string, GapReason][] = [];
  const listening = new Set<string>();
  const singles = new Set<string>();
  const order: string[] = [];
  const fence = { hasPassed: true, asked: 0 };
  const caughtUp = { current: Promise.resolve(true), asked: 0 };
  const connection = {
    claims: { uid: 'alice', sid: 's' },
    subscribe: (topic: string) => {
      order.push(`subscribe ${topic}`);
      listening.add(topic);
    },
    unsubscribe: (topic: string) => listening.delete(topic),
    takeDropped: () => false,
  } as unknown as Connection;
  const topics = {
    join: (topic: string) => {
      let bind = () => {};
      let refuse: (why?: Error) => void = () => {};
      const bound = new Promise<void>((resolve, reject) => {
        bind = resolve;
        refuse = (why = new Error('not bound')) => reject(why);
      });
      const entry = { topic, bind, refuse, released: 0 };
      asked.push(entry);
      return {
        bound,
        release: () => {
          entry.released += 1;
        },
      };
    },
    fence: async (_timeoutMs: number, leaving?: Leaving) => {
      fence.asked += 1;
      if (fence.hasPassed) leaving?.reached('m.1');
      return fence.hasPassed;
    },
    caughtUp: () => {
      caughtUp.asked += 1;
      return caughtUp.current;
    },
    has: () => false,
    isInDoubt: (topic: string) => topic === 'a',
    singles: {
      add: (name: string) => singles.add(name),
      remove: (name: string) => singles.delete(name),
      mute() {},
      unmute() {},
    },
  };
  const subscriptions = new Subscriptions(connection, topics, {
    presence: { joined() {}, wants() {}, ended() {}, over() {} },
    access: openAccess(),
    limit,
    send: (frame) => sent.push(JSON.parse(frame)),
    onLimit: () => order.push('limit'),
    gap: (reason, topic) => {
      order.push(`gap ${topic}`);
      gaps.push([topic, reason]);
    },
  });
  return { subscriptions, asked, sent, gaps, listening, singles, order, fence, caughtUp };
}

/** A client is attached that has come back to an edge that is behind, and is asked again whether it is; it is when the test says so. */
async function behind() {
  const world = make();
  const { subscriptions, asked, caughtUp } = world;
  caughtUp.current = Promise.resolve(false);
  const joined = subscriptions.join({ topic: 'a' }, undefined, 'connection-lost');
  asked[0]?.bind();
  await joined;
  let catchUp = () => {};
  caughtUp.current = new Promise((resolve) => {
    catchUp = () => resolve(true);
  });
  const before = caughtUp.asked;
  await vi.waitFor(() => expect(caughtUp.asked).toBeGreaterThan(before));
  return { ...world, catchUp };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('subscriptions of one connection', () => {
  it('are answered ok when the topic is bound, a second request for it not earlier', async () => {
    const { subscriptions, asked, sent, listening } = make();
    const joined = [subscriptions.join({ topic: 'a' }, '1'), subscriptions.join({ topic: 'a' }, '2')];
    await turn();
    expect(sent).toEqual([]);
    asked[0]?.bind();
    await Promise.all(joined);
    expect(asked).toHaveLength(1);
    expect([...listening]).toEqual(['a']);
    await subscriptions.join({ topic: 'a' }, '3');
    expect(sent.map(({ t, re }) => `${t} ${re}`)).toEqual(['ok 1', 'ok 2', 'ok 3']);
  });

  it('are told a gap before their first message, where messages may be missing', async () => {
    const { subscriptions, asked, gaps, order } = make();
    const joined = subscriptions.join({ topic: 'a' }, undefined, 'connection-lost');
    await turn();
    expect(gaps).toEqual([]);
    asked[0]?.bind();
    await joined;
    expect(gaps).toEqual([['a', 'connection-lost']]);
    expect(order).toEqual(['gap a', 'subscribe a']);
  });

  it('that are refused answer each request, and may be asked for again', async () => {
    const { subscriptions, asked, sent } = make();
    const joined = [subscriptions.join({ topic: 'a' }, '1'), subscriptions.join({ topic: 'a' }, '2')];
    asked[0]?.refuse();
    await Promise.all(joined);
    expect(sent.map(({ re, code }) => [re, code])).toEqual([
      ['1', 'broker-unavailable'],
      ['2', 'broker-unavailable'],
    ]);
    expect(asked[0]?.released).toBe(1);
    expect(subscriptions.size).toBe(0);
    const again = subscriptions.join({ topic: 'a' }, '3');
    asked[1]?.bind();
    await again;
    expect(sent.at(-1)).toMatchObject({ t: 'ok', re: '3' });
  });

  it('taken back before they are bound are released once, answered, and never listened to', async () => {
    const { subscriptions, asked, sent, listening } = make();
    const joined = subscriptions.join({ topic: 'a' }, '1');
    subscriptions.leave('a');
    await joined;
    asked[0]?.bind();
    await turn();
    expect(asked[0]?.released).toBe(1);
    expect(sent.map(({ t, re }) => `${t} ${re}`)).toEqual(['ok 1']);
    expect(listening.size).toBe(0);
  });

  it('asked for, taken back and asked for again are two: the first answer of the broker is not the second’s', async () => {
    const { subscriptions, asked, sent, listening } = make();
    void subscriptions.join({ topic: 'a' }, '1');
    subscriptions.leave('a');
    const again = subscriptions.join({ topic: 'a' }, '2');
    asked[0]?.bind();
    await turn();
    expect(listening.size).toBe(0);
    asked[1]?.bind();
    await again;
    expect([...listening]).toEqual(['a']);
    expect(asked.map(({ released }) => released)).toEqual([1, 0]);
    expect(sent.map(({ re }) => re)).toEqual(['1', '2']);
  });

  it('end with the connection, pending ones too, and nothing is joined after it', async () => {
    const { subscriptions, asked, sent, listening } = make();
    const pending = subscriptions.join({ topic: 'a' }, '1');
    const bound = subscriptions.join({ topic: 'b' }, '2');
    asked[1]?.bind();
    await bound;
    subscriptions.leaveAll();
    await pending;
    await subscriptions.join({ topic: 'c' }, '3');
    asked[0]?.bind();
    await turn();
    expect(asked.map(({ topic, released }) => [topic, released])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(listening.size).toBe(0);
    expect(sent.map(({ re }) => re)).toEqual(['2']);
  });

  it('are limited by the bytes of their names too, which come free again', async () => {
    const { subscriptions, asked, sent, order } = make({ limit: 1_000 });
    const name = (n: number) => `${n}`.padStart(200, 'x');
    const join = (n: number) => subscriptions.join({ topic: name(n) }, `${n}`);
    for (let n = 0; n < 327; n += 1) void join(n);
    expect(order).toEqual([]);
    void join(327);
    expect(sent).toMatchObject([{ t: 'error', re: '327', code: 'topic-limit' }]);
    for (const { bind } of asked) bind();
    await turn();
    subscriptions.leave(name(5));
    void join(328);
    expect(asked.at(-1)?.topic).toBe(name(328));
  });

  it('count towards the limit while they are pending', async () => {
    const { subscriptions, sent, order } = make({ limit: 1 });
    void subscriptions.join({ topic: 'a' }, '1');
    await subscriptions.join({ topic: 'b' }, '2');
    expect(sent).toMatchObject([{ t: 'error', re: '2', code: 'topic-limit' }]);
    expect(order).toContain('limit');
  });

  it('of a client that comes back begin when nothing older than its hello can come any more', async () => {
    const { subscriptions, asked, order, caughtUp } = make();
    let catchUp = () => {};
    caughtUp.current = new Promise((resolve) => {
      catchUp = () => resolve(true);
    });
    const joined = subscriptions.join({ topic: 'a' }, undefined, 'connection-lost');
    asked[0]?.bind();
    await turn();
    expect(order).toEqual([]);
    catchUp();
    await joined;
    expect(order).toEqual(['gap a', 'subscribe a']);
  });

  it('that an edge is behind with keep nobody from attaching for long, and begin with their gap once it has caught up', async () => {
    const { order, catchUp } = await behind();
    expect(order).toEqual([]);
    catchUp();
    await turn();
    expect(order).toEqual(['gap a', 'subscribe a']);
  });

  it('that have not begun yet when the session moves have their gap before', async () => {
    const { subscriptions, order, catchUp } = await behind();
    void subscriptions.settle(1_000, { session: 'ann.s', to: 'edge-2' });
    expect(order).toEqual(['gap a']);
    catchUp();
    await turn();
    expect(order).toEqual(['gap a']);
  });

  it('that a hello names and RabbitMQ refuses, as without a right, are not forgotten: the attach fails', async () => {
    const { subscriptions, asked, sent } = make();
    const joined = subscriptions.join({ topic: 'a' }, undefined);
    const refused = expect(joined).rejects.toThrow('access refused');
    asked[0]?.refuse(new BrokerError('topology-refused', 'access refused'));
    await refused;
    expect(sent).toEqual([]);
  });

  it('of a hello that the broker does not bind are not left out in silence: the hello fails', async () => {
    const { subscriptions, asked, sent } = make();
    const joined = subscriptions.join({ topic: 'a' }, undefined);
    const refused = expect(joined).rejects.toThrow('not bound');
    asked[0]?.refuse();
    await refused;
    expect(sent).toEqual([]);
    expect(subscriptions.size).toBe(0);
  });

  it('are settled without a word when the fence has passed, and with a gap for each that is bound when it has not', async () => {
    const { subscriptions, asked, gaps, fence, listening } = make();
    const departure = { session: 'u.s', to: 'b' };
    expect(await subscriptions.settle(10, departure)).toEqual({ isFenced: true, mark: undefined });
    expect(fence.asked).toBe(0);
    const joined = subscriptions.join({ topic: 'a' }, undefined);
    void subscriptions.join({ topic: 'b' }, undefined);
    asked[0]?.bind();
    await joined;
    expect(await subscriptions.settle(10, { session: 'u.s', to: undefined })).toMatchObject({
      isFenced: true,
    });
    expect([...listening]).toEqual(['a']);
    expect(await subscriptions.settle(10, departure)).toEqual({ isFenced: true, mark: 'm.1' });
    expect(gaps).toEqual([]);
    // Nothing younger than the mark.
    expect([...listening]).toEqual([]);
    fence.hasPassed = false;
    expect(await subscriptions.settle(10, departure)).toMatchObject({ isFenced: false });
    expect(gaps).toEqual([['a', 'connection-lost']]);
  });

  it('that are in doubt when the connection goes are named, for who comes next to tell', async () => {
    const { subscriptions, asked } = make();
    const joined = Promise.all([
      subscriptions.join({ topic: 'a' }, '1'),
      subscriptions.join({ topic: 'b' }, '2'),
    ]);
    for (const { bind } of asked) bind();
    await joined;
    expect(subscriptions.remains).toEqual({});
    subscriptions.lost();
    expect(subscriptions.remains).toEqual({ doubt: ['a'] });
  });
});
