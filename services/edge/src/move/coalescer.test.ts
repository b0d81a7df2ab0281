import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Coalescer } from './coalescer.js';

let published: { key: string; body: string; settle: (outcome: 'routed' | 'unrouted' | Error) => void }[];
let coalescer: Coalescer;

beforeEach(() => {
  vi.useFakeTimers();
  published = [];
  const sendRaw = (key: string, body: string) =>
    new Promise<'routed' | 'unrouted'>((resolve, reject) => {
      const settle = (outcome: 'routed' | 'unrouted' | Error) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      published.push({ key, body, settle });
    });
  coalescer = new Coalescer({ sendRaw });
});
afterEach(() => void vi.useRealTimers());

const sent = () => published.map((p) => [p.key, JSON.parse(p.body)]);
const settled = () => vi.advanceTimersByTimeAsync(0);

describe('Coalescer', () => {
  it('sends a command at once when none is under way to that key', async () => {
    void coalescer.publish('edge.a', { n: 1 });
    void coalescer.publish('edge.b', { n: 2 });
    expect(sent()).toEqual([
      ['edge.a', { n: 1 }],
      ['edge.b', { n: 2 }],
    ]);
    published[0]?.settle('routed');
    await settled();
    void coalescer.publish('edge.a', { n: 3 });
    expect(sent()[2]).toEqual(['edge.a', { n: 3 }]);
  });

  it('sends those that come before the confirm together, in order, when it comes', async () => {
    for (let n = 1; n <= 3; n += 1) void coalescer.publish('edge.a', { n });
    expect(published).toHaveLength(1);
    published[0]?.settle('routed');
    await settled();
    expect(sent()[1]).toEqual(['edge.a', [{ n: 2 }, { n: 3 }]]);
    await vi.advanceTimersByTimeAsync(100);
    expect(published).toHaveLength(2);
  });

  it('waits for a slow confirm no longer than 20 ms, and for none when a message is full', async () => {
    for (let n = 0; n < 3; n += 1) void coalescer.publish('edge.a', { n });
    await vi.advanceTimersByTimeAsync(19);
    expect(published).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(published).toHaveLength(2);
    for (let n = 3; n < 133; n += 1) void coalescer.publish('edge.a', { n });
    const sizes = () => sent().map(([, body]) => (Array.isArray(body) ? body.length : 1));
    expect(sizes()).toEqual([1, 2, 64, 64]);
    for (const { settle } of [...published]) settle('routed');
    await settled();
    expect(sizes()).toEqual([1, 2, 64, 64, 2]);
    const numbers = sent()
      .flatMap(([, body]) => body)
      .map((c: { n: number }) => c.n);
    expect(numbers).toEqual(Array.from({ length: 133 }, (_, n) => n));
  });

  it('tells everybody in a message what came of it, and goes on after a failure', async () => {
    const alone = expect(coalescer.publish('edge.a', {})).rejects.toThrow('away');
    const together = [coalescer.publish('edge.a', {}), coalescer.publish('edge.a', {})];
    published[0]?.settle(new Error('away'));
    await alone;
    await settled();
    published[1]?.settle('unrouted');
    expect(await Promise.all(together)).toEqual(['unrouted', 'unrouted']);
  });
});
