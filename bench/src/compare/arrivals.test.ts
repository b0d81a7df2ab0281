import { expect, it } from 'vitest';
import { Arrivals, described, onceEach } from './arrivals.js';

const arrivalsOf = (...numbers: number[]): Arrivals => {
  const arrivals = new Arrivals();
  for (const n of numbers) arrivals.came(n);
  return arrivals;
};

it('a message that comes twice makes up for none that is missing', () => {
  const arrivals = arrivalsOf(0, 2, 2);
  expect(arrivals.count).toBe(2);
  expect(arrivals.firstMissing(3)).toBe(1);
  expect(described([arrivals], 3)).toBe('2 of 3 have come, not 1');
  expect(() => onceEach([arrivalsOf(0, 1), arrivals])).toThrow('1 messages came twice');
});

it('in any order, each once, is as it is to be', () => {
  const arrivals = arrivalsOf(2, 0, 1);
  expect([arrivals.count, arrivals.firstMissing(3)]).toEqual([3, undefined]);
  expect(described([arrivals, arrivals], 3)).toBe('6 of 6 have come');
  expect(() => onceEach([arrivals])).not.toThrow();
});
