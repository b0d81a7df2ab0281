import type { Publisher } from '@evenkeel/broker';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Coalescer } from './coalescer.js';

let published: { key: string; body: string; settle: (outcome: 'routed' | 'unrouted' | Error) => void }[];
let coalescer: Coalescer;

beforeEach(() => {
  vi.useFakeTimers();
  published = [];
  const publish = (_exchange: string, key: string, body: string) =>
    new Promise((resolve, reject) => {
      const settle = (outcome: 'routed' | 'unrouted' | Error) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      published.push({ key, body, settle });
    });
  coalescer = new Coalescer({ publish } as unknown as Publisher);
});
afterEach(() => void vi.useRealTimers());

describe('Coalescer', () => {
  it('sends a command alone as it is, and those for one key within a moment together, in order', () => {
    void coalescer.publish('edge.a', { n: 1 });
    void coalescer.publish('edge.b', { n: 2 });
    void coalescer.publish('edge.b', { n: 3 });
    expect(published).toEqual([]);
    vi.advanceTimersByTime(5);
    expect(published.map((p) => [p.key, JSON.parse(p.body)])).toEqual([
      ['edge.a', { n: 1 }],
      ['edge.b', [{ n: 2 }, { n: 3 }]],
    ]);
  });

  it('does not wait when a message is full', () => {
    for (let n = 0; n < 130; n += 1) void coalescer.publish('edge.a', { n });
    expect(published.map((p) => JSON.parse(p.body).length)).toEqual([64, 64]);
    vi.advanceTimersByTime(5);
    const numbers = published.flatMap((p) => JSON.parse(p.body).map((c: { n: number }) => c.n));
    expect(numbers).toEqual(Array.from({ length: 130 }, (_, n) => n));
    vi.advanceTimersByTime(100);
    expect(published).toHaveLength(3);
  });

  it('tells everybody in a message what came of it', async () => {
    const first = [coalescer.publish('edge.a', {}), coalescer.publish('edge.a', {})];
    vi.advanceTimersByTime(5);
    const second = coalescer.publish('edge.a', {});
    vi.advanceTimersByTime(5);
    const failing = Promise.all([expect(second).rejects.toThrow('away')]);
    published[0]?.settle('unrouted');
    published[1]?.settle(new Error('away'));
    expect(await Promise.all(first)).toEqual(['unrouted', 'unrouted']);
    await failing;
  });
});
