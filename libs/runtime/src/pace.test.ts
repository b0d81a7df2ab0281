import { describe, expect, it } from 'vitest';
import { fullJitter, Histogram, sleep, TokenBucket } from './pace.js';

describe('fullJitter', () => {
  it('stays between zero and a ceiling that doubles up to the maximum', () => {
    const bounds = { minMs: 100, maxMs: 1000 };
    expect([0, 1, 2, 3, 4, 99].map((n) => fullJitter(n, bounds, () => 1))).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ]);
    expect(fullJitter(3, bounds, () => 0)).toBe(0);
  });
});

describe('TokenBucket', () => {
  it('gives the burst at once and then the rate', () => {
    const bucket = new TokenBucket(10, 5, 0);
    expect(bucket.tryTake(0, 5)).toBe(true);
    expect(bucket.tryTake(0)).toBe(false);
    expect(bucket.waitMs(0)).toBe(100);
    expect(bucket.tryTake(99)).toBe(false);
    expect(bucket.tryTake(100)).toBe(true);
    expect(bucket.available(10_000)).toBe(5);
  });

  it('keeps what was earned when the rate changes', () => {
    const bucket = new TokenBucket(10, 100, 0);
    bucket.tryTake(0, 100);
    bucket.setRate(1000, 1000);
    expect(bucket.available(1000)).toBe(10);
    expect(bucket.available(1050)).toBe(60);
  });

  it('loses nothing when the clock steps back, and waits for ever at rate 0', () => {
    const bucket = new TokenBucket(0, 1, 1000);
    expect(bucket.tryTake(500)).toBe(true);
    expect(bucket.waitMs(600)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('Histogram', () => {
  it('answers nearest-rank percentiles of the last values', () => {
    const histogram = new Histogram(100);
    expect(histogram.p99).toBe(0);
    for (let i = 1; i <= 100; i++) histogram.record(i);
    expect(histogram.p99).toBe(99);
    expect(histogram.percentile(50)).toBe(50);
    for (let i = 0; i < 100; i++) histogram.record(7);
    expect(histogram.p99).toBe(7);
    histogram.reset();
    expect(histogram.count).toBe(0);
  });
});

describe('sleep', () => {
  it('rejects with the reason when aborted, before and during', async () => {
    const aborting = new AbortController();
    const sleeping = sleep(60_000, aborting.signal);
    aborting.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(sleep(60_000, aborting.signal)).rejects.toThrow('enough');
  });
});
