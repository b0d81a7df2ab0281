import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.js';

describe('an allowance', () => {
  it('gives its burst at once, and then what it gains', () => {
    let nowMs = 0;
    const allowance = new Allowance(100, 3, () => nowMs);
    expect([1, 2, 3, 4].map(() => allowance.tryTake())).toEqual([true, true, true, false]);
    nowMs = 10;
    expect([1, 2].map(() => allowance.tryTake())).toEqual([true, false]);
    nowMs = 5;
    expect(allowance.tryTake()).toBe(false);
    nowMs = 15;
    expect(allowance.tryTake()).toBe(true);
  });

  it('does not read the clock while something is left', () => {
    let reads = 0;
    const allowance = new Allowance(1, 1_000, () => {
      reads += 1;
      return 0;
    });
    for (let n = 0; n < 1_000; n += 1) allowance.tryTake();
    expect(reads).toBe(1);
    expect(allowance.tryTake()).toBe(false);
    expect(reads).toBe(2);
  });

  it('never gives more than its burst and its gain, whatever is taken when', () => {
    const step = fc.record({ waitMs: fc.nat(500), count: fc.nat(50) });
    fc.assert(
      fc.property(
        fc.array(step),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 100 }),
        (steps, rate, burst) => {
          let nowMs = 0;
          let taken = 0;
          const allowance = new Allowance(rate, burst, () => nowMs);
          for (const { waitMs, count } of steps) {
            nowMs += waitMs;
            if (allowance.tryTake(count)) taken += count;
            expect(taken).toBeLessThanOrEqual(burst + (nowMs * rate) / 1_000 + 1e-6);
          }
        },
      ),
    );
  });
});
