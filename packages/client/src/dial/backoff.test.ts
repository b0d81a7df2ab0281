import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from './backoff.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('a wait is anywhere from 0 to a ceiling that doubles and ends', () => {
  fc.assert(
    fc.property(fc.nat(100), random, (attempt, x) => {
      const ms = backoffMs(attempt, { minMs: 500, maxMs: 20_000 }, () => x);
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** attempt));
    }),
  );
  expect(backoffMs(3, { minMs: 500, maxMs: 20_000 }, () => 0.5)).toBe(2_000);
});

it('Retry-After is kept, and up to as much again is added', () => {
  fc.assert(
    fc.property(fc.nat(3_600), random, (seconds, x) => {
      const ms = retryAfterMs(seconds, () => x);
      expect(ms).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(ms).toBeLessThanOrEqual(seconds * 2_000);
    }),
  );
});
