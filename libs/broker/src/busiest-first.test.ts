import { expect, test } from 'vitest';
import { BusiestFirst } from './busiest-first.js';

const taken = (waiting: BusiestFirst<{ name: string; perMinute: number }>): string[] => {
  const names: string[] = [];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) names.push(next.name);
  return names;
};

test('the busiest comes first', () => {
  const waiting = new BusiestFirst<{ name: string; perMinute: number }>();
  waiting.push({ name: 'idle', perMinute: 0 });
  waiting.push({ name: 'busy', perMinute: 600 });
  waiting.push({ name: 'quiet', perMinute: 1.5 });
  waiting.push({ name: 'busiest', perMinute: Number.POSITIVE_INFINITY });

  expect(waiting.peek()?.name).toBe('busiest');
  expect(taken(waiting)).toEqual(['busiest', 'busy', 'quiet', 'idle']);
});

test('those that are about as busy take turns', () => {
  const waiting = new BusiestFirst<{ name: string; perMinute: number }>();
  for (const [name, perMinute] of [
    ['a', 100],
    ['b', 110],
    ['c', 90],
    ['d', 0.1],
    ['e', 0],
  ] as const)
    waiting.push({ name, perMinute });

  expect(taken(waiting)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('what is cleared is gone', () => {
  const waiting = new BusiestFirst<{ name: string; perMinute: number }>();
  waiting.push({ name: 'a', perMinute: 5 });
  waiting.clear();

  expect(waiting.peek()).toBeUndefined();
  expect(waiting.shift()).toBeUndefined();
});
