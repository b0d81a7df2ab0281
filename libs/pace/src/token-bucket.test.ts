import { describe, expect, it } from 'vitest';
import { setRate, TokenBucket } from './token-bucket.js';

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

  it('gives no more than burst plus rate in any second', () => {
    const bucket = new TokenBucket(100, 10, 0);
    let taken = 0;
    for (let nowMs = 0; nowMs < 1000; nowMs++) while (bucket.tryTake(nowMs)) taken++;
    expect(taken).toBeLessThanOrEqual(110);
    expect(taken).toBeGreaterThanOrEqual(108);
  });

  it('says how long to wait, and then has a token', () => {
    const bucket = new TokenBucket(100, 1, 0);
    expect(bucket.tryTake(0)).toBe(true);
    const waitMs = bucket.waitMs(0);
    expect(waitMs).toBe(10);
    expect(bucket.tryTake(waitMs)).toBe(true);
  });

  it('keeps what was earned when the rate changes', () => {
    const bucket = new TokenBucket(10, 100, 0);
    bucket.tryTake(0, 100);
    setRate(bucket, 1000, 1000);
    expect(bucket.available(1000)).toBe(10);
    expect(bucket.available(1050)).toBe(60);
  });

  it('holds no more than a burst that has become smaller', () => {
    const bucket = new TokenBucket(10, 100, 0);
    setRate(bucket, 10, 0, 5);
    expect(bucket.available(0)).toBe(5);
    expect(bucket.available(60_000)).toBe(5);
  });

  it('loses nothing when the clock steps back, and waits for ever at rate 0', () => {
    const bucket = new TokenBucket(0, 1, 1000);
    expect(bucket.tryTake(500)).toBe(true);
    expect(bucket.waitMs(600)).toBe(Number.POSITIVE_INFINITY);
  });
});
