import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxOpen, Numbers } from './numbers.js';

/** Publishes 1 … `count`, all confirmed at time 0. */
function published(count: number): Numbers {
  const numbers = new Numbers();
  for (let i = 0; i < count; i++) numbers.confirm(numbers.take(), 0);
  return numbers;
}

describe('the numbers of a user', () => {
  it('are lost when a later one has come, and no longer when they come after all: then out of order', () => {
    const numbers = published(4);
    expect([1, 2, 4].map((number) => numbers.note(number))).toEqual(['in-order', 'in-order', 'in-order']);
    expect(numbers.lost(undefined)).toBe(1);
    expect(numbers.note(3)).toBe('reordered');
    expect(numbers.lost(undefined)).toBe(0);
    expect(numbers.reordered).toBe(1);
  });

  it('are lost when they have been confirmed for long, unless the client is away', () => {
    const numbers = published(2);
    expect(numbers.lost(undefined)).toBe(0);
    expect(numbers.lost(0)).toBe(0);
    expect(numbers.lost(1)).toBe(2);
    expect(numbers.waiting()).toBe(2);
  });

  it('are repeated when they come again, and foreign when they were never published', () => {
    const numbers = published(1);
    numbers.note(1);
    expect(numbers.note(1)).toBe('repeated');
    expect([2, 0, 1.5].map((number) => numbers.note(number))).toEqual(['foreign', 'foreign', 'foreign']);
    expect(numbers.repeated).toBe(1);
  });

  it('may come or not when nobody knows whether they were published', () => {
    const numbers = new Numbers();
    for (const isGivenUp of [true, true, false]) {
      const number = numbers.take();
      expect(numbers.isUnsettled).toBe(true);
      if (isGivenUp) numbers.giveUp(number);
      else numbers.confirm(number, 0);
      expect(numbers.isUnsettled).toBe(false);
    }
    expect(numbers.note(2)).toBe('in-order');
    expect(numbers.note(3)).toBe('in-order');
    expect(numbers.lost(10)).toBe(0);
  });

  it('are forgotten, as lost, beyond 2,000 that have not come', () => {
    const numbers = published(maxOpen + 3);
    expect(numbers.waiting()).toBe(maxOpen);
    expect(numbers.lost(undefined)).toBe(3);
  });

  it('are judged exactly: whatever comes, in whatever order and however often', () => {
    const arrivals = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 60 });
    fc.assert(
      fc.property(arrivals, (given) => {
        const numbers = published(30);
        for (const number of given) numbers.note(number);
        const firsts = [...new Set(given)];
        const late = firsts.filter((number, i) => firsts.slice(0, i).some((before) => before > number));
        expect(numbers.repeated).toBe(given.length - firsts.length);
        expect(numbers.reordered).toBe(late.length);
        expect(numbers.lost(1)).toBe(30 - firsts.length);
      }),
    );
  });
});
