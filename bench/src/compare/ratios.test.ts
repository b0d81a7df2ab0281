import { expect, test } from 'vitest';
import { compare, median } from './ratios.js';

test('the median of an even number lies between the middle two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('ratios are taken pair by pair, so that a machine that slows down between pairs changes none', () => {
  expect(compare([100, 50, 10], [110, 55, 11])).toEqual({
    base: 50,
    tree: 55,
    ratio: { median: 1.1, min: 1.1, max: 1.1 },
  });
});

test('half a pair is refused', () => {
  expect(() => compare([1], [])).toThrow(RangeError);
});
