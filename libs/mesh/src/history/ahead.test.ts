import { expect, it } from 'vitest';
import { Ahead } from './ahead.js';

const place = { offset: 43, print: 'S5nTbydX3C' };

it('has a position waited for once, whoever comes with it, and remembers that', () => {
  const ahead = new Ahead();
  expect(ahead.isAwaited(place)).toBe(true);
  ahead.passed(4_000);
  expect(ahead.isAwaited(place)).toBe(true);
  ahead.passed(1_000);
  expect([ahead.isAwaited(place), ahead.isAwaited({ ...place, offset: 44 })]).toEqual([false, true]);
  ahead.passed(599_999);
  expect(ahead.isAwaited(place)).toBe(false);
  ahead.passed(1);
  expect(ahead.isAwaited(place)).toBe(true);
});

it('has those that are too many waited for', () => {
  const ahead = new Ahead();
  for (let offset = 0; offset < 10_000; offset += 1) ahead.isAwaited({ offset });
  ahead.passed(5_000);
  expect([ahead.isAwaited({ offset: 9_999 }), ahead.isAwaited({ offset: 10_000 })]).toEqual([false, true]);
});
