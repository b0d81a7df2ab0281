import { expect, it } from 'vitest';
import { countByState } from './states.js';

it('nodes are counted by state, those that clients do not reach and those low on memory apart, and states without a node with 0', () => {
  const counts = countByState([
    { state: 'active' },
    { state: 'active', reachable: true },
    { state: 'cordoned' },
    { state: 'cordoned', reachable: false },
    { state: 'suspect', reachable: false },
    { state: 'cordoned', memory: { isLow: true } },
    { state: 'cordoned', memory: {} },
    { state: 'cordoned', reachable: false, memory: { isLow: true } },
    { state: 'draining', memory: { isLow: true } },
  ]);
  expect(Object.fromEntries(counts)).toEqual({
    joining: 0,
    active: 2,
    cordoned: 2,
    draining: 1,
    suspect: 1,
    gone: 0,
    unreachable: 2,
    'low-memory': 1,
  });
});
