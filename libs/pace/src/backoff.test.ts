import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffMs', () => {
  it('doubles its ceiling per attempt up to the maximum', () => {
    const bounds = { minMs: 100, maxMs: 1000 };
    const ceilings = [0, 1, 2, 3, 4, 99].map((attempt) => backoffMs(attempt, bounds, () => 1));
    expect(ceilings).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('is anywhere from 0 to the ceiling', () => {
    fc.assert(
      fc.property(fc.nat(100), random, (attempt, x) => {
        const ms = backoffMs(attempt, { minMs: 500, maxMs: 20_000 }, () => x);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** attempt));
      }),
    );
    expect(backoffMs(3, { minMs: 500, maxMs: 20_000 }, () => 0.5)).toBe(2_000);
  });
});
