import { expect, test } from 'vitest';
import { Rush } from './rush.js';

function make() {
  const at = { ms: 5_000, count: 70 };
  const rush = new Rush(() => at.count, { perSecond: 2_000, overMs: 50, now: () => at.ms });
  const pass = (ms: number, events: number) => {
    at.ms += ms;
    at.count += events;
    return rush.isOn;
  };
  return { rush, pass };
}

test('a rush is so many a second, and ends with them', () => {
  const { rush, pass } = make();
  expect(rush.isOn).toBe(false);
  expect(pass(500, 1_000)).toBe(true);
  expect(pass(500, 999)).toBe(false);
});

test('a moment is too short to judge by: what was said last stands', () => {
  const { pass } = make();
  expect(pass(49, 2_000)).toBe(false);
  expect(pass(1, 0)).toBe(true);
  expect(pass(49, 0)).toBe(true);
  expect(pass(1, 0)).toBe(false);
});
