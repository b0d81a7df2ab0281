import { describe, expect, it } from 'vitest';
import { Fifo, fullJitter, LogLimit, shardOf, TokenBucket } from './pace.js';

describe('fullJitter', () => {
  it('doubles its ceiling per attempt up to the maximum', () => {
    const ceilings = [0, 1, 2, 3, 40].map((n) => fullJitter(n, { minMs: 100, maxMs: 500 }, () => 1));
    expect(ceilings).toEqual([100, 200, 400, 500, 500]);
  });

  it('spreads uniformly from zero', () => {
    expect(fullJitter(5, { minMs: 100, maxMs: 500 }, () => 0)).toBe(0);
    expect(fullJitter(1, { minMs: 100, maxMs: 500 }, () => 0.25)).toBe(50);
  });
});

describe('TokenBucket', () => {
  it('gives no more than burst plus rate in any second', () => {
    const bucket = new TokenBucket(100, 10, 0);
    let taken = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs++) while (bucket.take(nowMs) === 0) taken++;
    expect(taken).toBeLessThanOrEqual(110);
    expect(taken).toBeGreaterThanOrEqual(108);
  });

  it('says how long to wait, and then has a token', () => {
    const bucket = new TokenBucket(100, 1, 0);
    expect(bucket.take(0)).toBe(0);
    const waitMs = bucket.take(0);
    expect(waitMs).toBe(10);
    expect(bucket.take(waitMs)).toBe(0);
  });

  it('keeps its tokens when the clock steps back', () => {
    const bucket = new TokenBucket(100, 2, 1000);
    expect(bucket.take(500)).toBe(0);
    expect(bucket.take(500)).toBe(0);
    expect(bucket.take(500)).toBeGreaterThan(0);
  });
});

describe('Fifo', () => {
  it('keeps the order across many pushes, shifts and a prepend', () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 5000; i++) fifo.push(i);
    const first = Array.from({ length: 3000 }, () => fifo.shift());
    expect(first).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    fifo.prepend([2998, 2999]);
    expect(fifo.length).toBe(2002);
    expect(fifo.drain()).toEqual(Array.from({ length: 2002 }, (_, i) => i + 2998));
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });
});

describe('shardOf', () => {
  it('spreads queues with similar names evenly', () => {
    const counts = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) {
      const shard = shardOf(`session.user${i}.s${i}`, 16);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1200);
  });
});

describe('LogLimit', () => {
  it('lets one through per interval and tells how many it held back', () => {
    const limit = new LogLimit(1000);
    expect(limit.pass(0)).toBe(0);
    expect(limit.pass(10)).toBeUndefined();
    expect(limit.pass(999)).toBeUndefined();
    expect(limit.pass(1000)).toBe(2);
  });
});
