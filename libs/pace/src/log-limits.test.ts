import { expect, it } from 'vitest';
import { LogLimits } from './log-limits.js';

it('each kind passes once an interval and says how many were left out', () => {
  const limits = new LogLimits(1_000);
  expect(limits.pass('a', 0)).toBe(0);
  expect(limits.pass('a', 500)).toBeUndefined();
  expect(limits.pass('b', 500)).toBe(0);
  expect(limits.pass('a', 1_000)).toBe(1);
});

it('kinds without end share one limit', () => {
  const limits = new LogLimits(1_000);
  const passed = Array.from({ length: 1_000 }, (_, n) => limits.pass(`kind ${n}`, 0));
  expect(passed.filter((suppressed) => suppressed !== undefined)).toHaveLength(65);
  expect(limits.pass('one more', 1_000)).toBe(1_000 - 65);
});
