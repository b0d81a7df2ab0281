import { describe, expect, it } from 'vitest';
import { until } from './denying.js';

const nowMs = Date.parse('2026-12-01T00:00:00Z');

describe('--until', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['30d', 2_592_000_000],
    ['2026-12-24T18:00:00Z', Date.parse('2026-12-24T18:00:00Z') - nowMs],
  ])('takes %s', (text, aheadMs) => {
    expect(until(text, undefined, nowMs)).toBe(nowMs + aheadMs);
  });

  it.each(['soon', '10', '0s', '31d', '2026-11-30', '-1h', ''])('refuses %j', (text) => {
    expect(() => until(text, undefined, nowMs)).toThrow(/./);
  });
});
