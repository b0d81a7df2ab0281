import { expect, it } from 'vitest';
import { connectionIds, generationOf } from './connection-ids.js';

it('names each connection once, and says of which queue it began with', () => {
  const idOf = connectionIds('x9Yw3k');
  expect([idOf(0), idOf(0), idOf(12)]).toEqual(['x9Yw3k.1', 'x9Yw3k.2', 'x9Yw3k.3.12']);
  expect(['x9Yw3k.1', 'x9Yw3k.3.12', undefined].map(generationOf)).toEqual([0, 12, 0]);
});

it('takes nothing else from what a client says', () => {
  for (const name of [
    '',
    'a',
    'a.b.c',
    'a.1.-1',
    'a.1.01',
    'a.1.1e3',
    'a.1.2.3',
    'a.1.1000000',
    '..1e',
    'a.1. 2',
  ])
    expect(generationOf(name)).toBe(0);
});
