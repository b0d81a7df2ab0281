import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MoveBudget } from './mover.js';

/** Turns of 20 ms; whatever is due is done. */
function spend(perSecond: number, turns: number): number {
  const budget = new MoveBudget();
  budget.perSecond = perSecond;
  let moves = 0;
  for (let turn = 0; turn < turns; turn++) {
    const due = budget.add(20);
    budget.spend(due);
    moves += due;
  }
  return moves;
}

it('asks for as many moves as it is told to, at three a second too', () => {
  expect(spend(3, 501)).toBe(30);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), (perSecond) => {
      expect(Math.abs(spend(perSecond, 1_000) - perSecond * 20)).toBeLessThanOrEqual(1);
    }),
  );
});

it('makes up for a quarter of a second at most, and counts what it left out', () => {
  const budget = new MoveBudget();
  budget.perSecond = 100;
  expect(budget.add(10_000)).toBe(25);
  expect(budget.leftOut).toBe(975);
  budget.perSecond = 2;
  expect(budget.add(0)).toBe(2);
});
