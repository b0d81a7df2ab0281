import type { GapReason } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../transport/connection.js';
import { Subscriptions } from './subscriptions.js';

/** Topics that are bound when the test says so. */
function make({ limit = 3 } = {}) {
  const asked: { topic: string; bind(): void; refuse(): void; released: number }[] = [];
  const sent: { t: string; re?: string; code?: string }[] = [];
  const gaps: [string, GapReason][] = [];
  const listening = new Set<string>();
  const order: string[] = [];
  const fence = { hasPassed: true, asked: 0 };
  const connection = {
    subscribe: (topic: string) => {
      order.push(`subscribe ${topic}`);
      listening.add(topic);
    },
    unsubscribe: (topic: string) => listening.delete(topic),
  } as unknown as Connection;
  const topics = {
    join: (topic: string) => {
      let bind = () => {};
      let refuse = () => {};
      const bound = new Promise<void>((resolve, reject) => {
        bind = resolve;
        refuse = () => reject(new Error('not bound'));
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
    fence: async () => {
      fence.asked += 1;
      return fence.hasPassed;
    },
  };
  const subscriptions = new Subscriptions(connection, topics, {
    limit,
    send: (frame) => sent.push(JSON.parse(frame)),
    gap: (reason, topic) => {
      order.push(`gap ${topic}`);
      gaps.push([topic, reason]);
    },
  });
  return { subscriptions, asked, sent, gaps, listening, order, fence };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('subscriptions of one connection', () => {
  it('are answered ok when the topic is bound, a second request for it not earlier', async () => {
    const { subscriptions, asked, sent, listening } = make();
    const joined = [subscriptions.join('a', '1'), subscriptions.join('a', '2')];
    await turn();
    expect(sent).toEqual([]);
    asked[0]?.bind();
    await Promise.all(joined);
    expect(asked).toHaveLength(1);
    expect([...listening]).toEqual(['a']);
    await subscriptions.join('a', '3');
    expect(sent.map(({ t, re }) => `${t} ${re}`)).toEqual(['ok 1', 'ok 2', 'ok 3']);
  });

  it('are told a gap before their first message, where messages may be missing', async () => {
    const { subscriptions, asked, gaps, order } = make();
    const joined = subscriptions.join('a', undefined, 'connection-lost');
    await turn();
    expect(gaps).toEqual([]);
    asked[0]?.bind();
    await joined;
    expect(gaps).toEqual([['a', 'connection-lost']]);
    expect(order).toEqual(['gap a', 'subscribe a']);
  });

  it('that are refused answer each request, and may be asked for again', async () => {
    const { subscriptions, asked, sent } = make();
    const joined = [subscriptions.join('a', '1'), subscriptions.join('a', '2')];
    asked[0]?.refuse();
    await Promise.all(joined);
    expect(sent.map(({ re, code }) => [re, code])).toEqual([
      ['1', 'broker-unavailable'],
      ['2', 'broker-unavailable'],
    ]);
    expect(asked[0]?.released).toBe(1);
    expect(subscriptions.size).toBe(0);
    const again = subscriptions.join('a', '3');
    asked[1]?.bind();
    await again;
    expect(sent.at(-1)).toMatchObject({ t: 'ok', re: '3' });
  });

  it('taken back before they are bound are released once, answered, and never listened to', async () => {
    const { subscriptions, asked, sent, listening } = make();
    const joined = subscriptions.join('a', '1');
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
    void subscriptions.join('a', '1');
    subscriptions.leave('a');
    const again = subscriptions.join('a', '2');
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
    const pending = subscriptions.join('a', '1');
    const bound = subscriptions.join('b', '2');
    asked[1]?.bind();
    await bound;
    subscriptions.leaveAll();
    await pending;
    await subscriptions.join('c', '3');
    asked[0]?.bind();
    await turn();
    expect(asked.map(({ topic, released }) => [topic, released])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(listening.size).toBe(0);
    expect(sent.map(({ re }) => re)).toEqual(['2']);
  });

  it('count towards the limit while they are pending', async () => {
    const { subscriptions, sent } = make({ limit: 1 });
    void subscriptions.join('a', '1');
    await subscriptions.join('b', '2');
    expect(sent).toMatchObject([{ t: 'error', re: '2', code: 'topic-limit' }]);
  });

  it('are settled without a word when the fence has passed, and with a gap for each that is bound when it has not', async () => {
    const { subscriptions, asked, gaps, fence } = make();
    expect(await subscriptions.settle(10)).toBe(true);
    expect(fence.asked).toBe(0);
    const joined = subscriptions.join('a', undefined);
    void subscriptions.join('b', undefined);
    asked[0]?.bind();
    await joined;
    expect(await subscriptions.settle(10)).toBe(true);
    expect(gaps).toEqual([]);
    fence.hasPassed = false;
    expect(await subscriptions.settle(10)).toBe(false);
    expect(gaps).toEqual([['a', 'connection-lost']]);
  });
});
