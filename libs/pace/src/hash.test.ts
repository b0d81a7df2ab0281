import { describe, expect, it } from 'vitest';
import { fnv1a, hash32 } from './hash.js';

describe('fnv1a', () => {
  it('gives the published values of FNV-1a', () => {
    expect(fnv1a('')).toBe(0x811c9dc5);
    expect(fnv1a('a')).toBe(0xe40c292c);
    expect(fnv1a('foobar')).toBe(0xbf9cf968);
  });

  it('tells characters beyond one byte apart', () => {
    expect(fnv1a('Ā')).not.toBe(fnv1a('\u0000'));
    expect(fnv1a('Ā')).not.toBe(fnv1a('Ȁ'));
  });
});

describe('hash32', () => {
  it('spreads names that differ in one digit evenly over any few buckets', () => {
    for (const buckets of [2, 3, 16]) {
      const counts = new Array<number>(buckets).fill(0);
      for (let i = 0; i < 16_000; i++) {
        const bucket = hash32(`session.user${i}.s${i}`) % buckets;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      for (const count of counts) expect(Math.abs(count / (16_000 / buckets) - 1)).toBeLessThan(0.15);
    }
  });
});
