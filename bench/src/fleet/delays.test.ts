import { expect, it } from 'vitest';
import { Delays } from './delays.js';

it('answers quantiles within a bucket (10 % or 1 ms), also when added up from parts', () => {
  const parts = [new Delays(), new Delays()];
  for (let ms = 0; ms < 1_000; ms++) parts[ms % 2]?.add(ms);
  const all = new Delays();
  for (const part of parts) all.merge(part.dump());
  expect(all).toMatchObject({ count: 1_000, maxMs: 999 });
  for (const [part, exact] of [
    [0.01, 9],
    [0.5, 499],
    [0.99, 989],
    [1, 999],
  ] as const) {
    expect(all.quantileMs(part)).toBeGreaterThanOrEqual(exact);
    expect(all.quantileMs(part)).toBeLessThanOrEqual(exact * 1.1 + 1);
  }
  expect(new Delays().quantileMs(0.99)).toBe(0);
});
