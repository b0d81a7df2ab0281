import { expect, it } from 'vitest';
import { Delays, summaryOf } from './delays.js';

it('answers quantiles to three digits, also when added up from parts', () => {
  const parts = [new Delays(), new Delays()];
  for (let ms = 0; ms < 1_000; ms++) parts[ms % 2]?.add(ms);
  const all = new Delays();
  for (const part of parts) all.merge(part.dump());
  expect(all.count).toBe(1_000);
  for (const [part, exact] of [
    [0.01, 9],
    [0.5, 499],
    [0.99, 989],
    [1, 999],
  ] as const) {
    expect(Math.abs(all.quantileMs(part) - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.001);
  }
  expect(Math.abs(all.maxMs - 999)).toBeLessThan(1);
});

it('takes anything: nothing at all, a clock that went back, more than a day', () => {
  const none = new Delays();
  expect(summaryOf(none)).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
  none.add(-5);
  none.add(1e12);
  expect(none.count).toBe(2);
  expect(none.quantileMs(0.5)).toBe(0);
  expect(none.maxMs).toBeGreaterThan(86_000_000);
});
