import { expect, it } from 'vitest';
import { announce, toldOf } from './announce.js';
import type { Status } from './types.js';

function status(states: Record<string, string>, more: Partial<Status> = {}): Status {
  const nodes = Object.entries(states).map(([node, state]) => ({
    node,
    state,
    url: '',
    version: '1',
    connections: 5,
    sessions: 5,
  }));
  return { ok: true, leader: null, nodes, ...more };
}

const level = toldOf(status({ 'edge-1': 'active', 'edge-2': 'active' }), false);

it('the first view and figures that change are not announced', () => {
  expect(announce(toldOf(undefined, false), level)).toBeUndefined();
  const later = status({ 'edge-1': 'active', 'edge-2': 'active' });
  for (const node of later.nodes) node.sessions = 900;
  expect(announce(level, toldOf(later, false))).toBeUndefined();
});

it('a plan is announced when it begins, is paused and ends, and not while it advances', () => {
  const at = (done: number, state = 'running') =>
    toldOf(
      status({ 'edge-1': 'active', 'edge-2': 'active' }, { plan: { id: 'p', kind: 'drain', state, done } }),
      false,
    );
  expect(announce(level, at(0))).toBe('Drain is running.');
  expect(announce(at(0), at(50))).toBeUndefined();
  expect(announce(at(50), at(50, 'paused'))).toBe('Drain is paused.');
  expect(announce(at(99), level)).toBe('Drain has ended.');
});

it('a node that is lost is named, and many at once are counted', () => {
  const now = toldOf(status({ 'edge-1': 'suspect', 'edge-2': 'active' }), false);
  expect(announce(level, now)).toBe('edge-1 does not answer.');
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`edge-${i}`, 'active']));
  const gone = Object.fromEntries(Object.keys(many).map((node) => [node, 'gone']));
  expect(announce(toldOf(status(many), false), toldOf(status(gone), false))).toBe('9 nodes have changed.');
});

it('a view that has become stale is announced once, and so is its end', () => {
  const stale = { ...level, isStale: true };
  expect(announce(level, stale)).toBe('The view is stale.');
  expect(announce(stale, stale)).toBeUndefined();
  expect(announce(stale, level)).toBe('The view is current again.');
});
