import type { Delivery } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Kept } from './kept.js';

/** A delivery with `bytes` of body. */
function delivery(n: number, bytes: number): Delivery & { n: number } {
  const made = {
    n,
    body: Buffer.alloc(bytes),
    forgetContent: () => {
      made.body = Buffer.alloc(0);
    },
  };
  return made as unknown as Delivery & { n: number };
}

const names = (items: Iterable<unknown>) =>
  [...items].map((item) => (typeof item === 'string' ? item : (item as { n: number }).n));

/** Takes all that need not come once more. */
function drain(kept: Kept): (string | number)[] {
  const taken: unknown[] = [];
  while (kept.next !== undefined && !kept.isAway) taken.push(kept.take());
  return names(taken);
}

describe('what is kept back', () => {
  it('comes in order, with the frames between', () => {
    const kept = new Kept(100);
    kept.add(delivery(1, 10));
    kept.insert('gap');
    kept.add(delivery(2, 10));
    expect([kept.size, kept.hasFrames]).toEqual([2, true]);
    expect(drain(kept)).toEqual([1, 'gap', 2]);
    expect([kept.size, kept.hasFrames, kept.isEmpty]).toEqual([0, false, true]);
  });

  it('is without a body beyond its bytes, also what would fit behind it', () => {
    const kept = new Kept(100);
    const all = [60, 40, 1, 1].map((bytes, n) => delivery(n, bytes));
    for (const each of all) kept.add(each);
    expect(all.map(({ body }) => body.length)).toEqual([60, 40, 0, 0]);
    expect(drain(kept)).toEqual([0, 1]);
    expect([kept.size, kept.isAway]).toEqual([2, true]);
    expect(names(kept.takeAway())).toEqual([2, 3]);
    expect(kept.isEmpty).toBe(true);
  });

  it('has one of any size: else it could never be sent', () => {
    const kept = new Kept(100);
    kept.add(delivery(1, 1_000));
    kept.add(delivery(2, 1));
    expect(drain(kept)).toEqual([1]);
    expect(kept.isAway).toBe(true);
  });

  it('has room again for what comes once more, and its frames behind the same deliveries as before', () => {
    const kept = new Kept(10);
    kept.add(delivery(1, 10));
    for (const n of [2, 3]) kept.add(delivery(n, 10));
    kept.insert('gap');
    kept.insert('other');
    kept.add(delivery(4, 10));
    kept.insert('last');
    expect(drain(kept)).toEqual([1]);
    expect(names(kept.takeAway())).toEqual([2, 3, 4]);
    expect(kept.hasFrames).toBe(true);
    expect([kept.due(), kept.due(), kept.due()]).toEqual([[], ['gap', 'other'], ['last']]);
    expect([kept.hasFrames, kept.due()]).toEqual([false, []]);
    kept.add(delivery(2, 10));
    expect(drain(kept)).toEqual([2]);
  });

  it('keeps its frames alone when the broker has the deliveries', () => {
    const kept = new Kept(10);
    for (const n of [1, 2]) kept.add(delivery(n, 10));
    kept.insert('gap');
    kept.forget();
    expect(drain(kept)).toEqual(['gap']);
    for (const n of [1, 2]) kept.add(delivery(n, 10));
    kept.insert('gap');
    drain(kept);
    kept.takeAway();
    kept.forget();
    expect(drain(kept)).toEqual(['gap']);
    kept.add(delivery(1, 10));
    kept.insert('gap');
    expect(names(kept.takeAll())).toEqual([1]);
    expect([kept.isEmpty, kept.hasFrames]).toEqual([true, false]);
  });
});
