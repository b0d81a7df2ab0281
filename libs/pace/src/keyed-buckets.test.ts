import { expect, it } from 'vitest';
import { KeyedBuckets } from './keyed-buckets.js';

it('each key has its own burst and rate, and is told for how long there is none', () => {
  const buckets = new KeyedBuckets(10, 3);
  expect([1, 2, 3, 4].map(() => buckets.take('a', 0))).toEqual([0, 0, 0, 100]);
  expect(buckets.take('b', 0)).toBe(0);
  expect(buckets.take('a', 100)).toBe(0);
  expect(buckets.take('a', 100)).toBe(100);
});

it('of what is to be left for others nothing is taken', () => {
  const buckets = new KeyedBuckets(10, 4);
  expect([1, 2, 3].map(() => buckets.take('a', 0, 1, 2))).toEqual([0, 0, 100]);
  expect([1, 2, 3].map(() => buckets.take('a', 0))).toEqual([0, 0, 100]);
  expect(buckets.take('a', 200, 1, 2)).toBe(100);
});

it('remembers no more keys than it may: the one unused for longest begins anew', () => {
  const buckets = new KeyedBuckets(1, 1, 2);
  for (const key of ['a', 'b', 'a', 'c']) buckets.take(key, 0);
  expect(buckets.size).toBe(2);
  expect(buckets.take('a', 0)).toBe(1_000);
  expect(buckets.take('b', 0)).toBe(0);
});
