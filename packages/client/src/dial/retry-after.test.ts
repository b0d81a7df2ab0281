import fc from 'fast-check';
import { expect, it } from 'vitest';
import { retryAfterMs } from './retry-after.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('Retry-After is kept, and up to as much again is added', () => {
  fc.assert(
    fc.property(fc.nat(3_600), random, (seconds, x) => {
      const ms = retryAfterMs(seconds, () => x);
      expect(ms).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(ms).toBeLessThanOrEqual(seconds * 2_000);
    }),
  );
});
