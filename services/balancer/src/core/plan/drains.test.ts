import { expect, it } from 'vitest';
import { statsOf } from '../../../testing/stats.js';
import { ClusterState } from '../cluster/state.js';
import { type DrainGoal, isDraining, reviewed } from './drains.js';

const goal: DrainGoal = { node: 'a', boot: 'a-1', by: 'ann' };

/** What becomes of a goal when a node reports this last. */
function after(
  before: DrainGoal,
  stats: Parameters<typeof statsOf>[2],
  nowMs = 1_000,
): DrainGoal | undefined {
  const view = new ClusterState();
  view.observe(statsOf('a', 1, { state: 'cordoned', ...stats }), nowMs);
  return reviewed(before, view.get('a', nowMs), nowMs);
}

it('a goal stands while nothing is heard of the node, for as long as that may be', () => {
  expect(reviewed(goal, undefined, 1e9)).toBe(goal);
});

it('a goal passes to the process that follows, as long as it is not met', () => {
  expect(after(goal, { sessions: 3, boot: 'a-2' })).toEqual({ ...goal, boot: 'a-2' });
  expect(after({ ...goal, isMet: true }, { sessions: 3, boot: 'a-2' })).toBeUndefined();
});

it('a goal is met when the node is empty, or leaves by itself; whoever comes to it then is still moved', () => {
  expect(after(goal, { sessions: 3 })).toBe(goal);
  expect(after(goal, { sessions: 0, state: 'active' })).toBe(goal);
  expect(after(goal, { sessions: 0 })).toEqual({ ...goal, isMet: true });
  expect(after(goal, { sessions: 3, state: 'draining' })).toEqual({ ...goal, isMet: true });
  const view = new ClusterState();
  view.observe(statsOf('a', 1, { state: 'cordoned', sessions: 3 }), 1_000);
  const node = view.get('a', 1_000);
  expect(node && isDraining(node, new Map([['a', { ...goal, isMet: true }]]))).toBe(true);
});

it('a goal that is overdue says with how many left, and nothing more is done about it', () => {
  const due = { ...goal, endsBy: 5_000 };
  expect(after(due, { sessions: 3 }, 5_000)).toBe(due);
  const overdue = { ...due, ended: { at: 6_000, left: 3 } };
  expect(after(due, { sessions: 3 }, 6_000)).toEqual(overdue);
  expect(after(overdue, { sessions: 3, boot: 'a-2' }, 7_000)).toBeUndefined();
});
