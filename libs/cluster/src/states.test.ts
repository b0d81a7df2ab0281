import { expect, it } from 'vitest';
import { countByState } from './states.js';

it('nodes are counted by state, those that clients do not reach apart, and states without a node with 0', () => {
  const counts = countByState([
    { state: 'active' },
    { state: 'active', reachable: true },
    { state: 'cordoned' },
    { state: 'cordoned', reachable: false },
    { state: 'suspect', reachable: false },
  ]);
  expect(Object.fromEntries(counts)).toEqual({
    joining: 0,
    active: 2,
    cordoned: 1,
    draining: 0,
    suspect: 1,
    gone: 0,
    unreachable: 1,
  });
});
