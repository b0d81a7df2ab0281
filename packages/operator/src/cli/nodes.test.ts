import { describe, expect, it } from 'vitest';
import { node } from '../../testing/nodes.js';
import { type Selection, selected } from './nodes.js';

const nodes = [
  node('e10', { sessions: 50, deliveredPerSecond: 5, cpu: 0.1 }),
  node('e2', { sessions: 40, capacity: 50, deliveredPerSecond: 9, state: 'draining', cpu: 0.9 }),
  node('e1', { sessions: 60, deliveredPerSecond: 1, state: 'cordoned', reachable: false }),
  node('e3', { sessions: 10, state: 'gone' }),
];
const names = (selection: Selection) => selected(nodes, selection).map((n) => n.node);

describe('selected', () => {
  it.each([
    ['node', ['e1', 'e2', 'e10']],
    ['load', ['e2', 'e1', 'e10']],
    ['sessions', ['e1', 'e10', 'e2']],
    ['events', ['e2', 'e10', 'e1']],
    ['cpu', ['e2', 'e10', 'e1']],
    ['state', ['e1', 'e2', 'e10']],
  ] as const)('sorts by %s: names upwards, all else the most first', (sort, order) => {
    expect(names({ sort })).toEqual(order);
  });

  it('leaves out nodes that are gone, unless they are asked for', () => {
    expect(names({})).not.toContain('e3');
    expect(names({ states: ['gone', 'unreachable'] })).toEqual(['e1', 'e3']);
  });
});
