import { expect, it } from 'vitest';
import { statsOf } from '../../../testing/stats.js';
import { ClusterState } from '../cluster/state.js';
import { type DrainGoal, isDraining, isOver } from './drains.js';

const goal: DrainGoal = { node: 'a', boot: 'a-1', by: 'ann' };
const goals = new Map([['a', goal]]);

it('keeps the wish that a node be empty over a time without reports, until another process has its name', () => {
  const view = new ClusterState();
  const isOverAt = (nowMs: number) => isOver(goal, view.get('a', nowMs), nowMs);
  view.observe(statsOf('a', 1, { state: 'cordoned' }), 1_000);
  view.observe(statsOf('a', 2, { state: 'cordoned' }), 2_000);
  expect(view.get('a', 18_000)?.phase).toBe('gone');
  expect(isOverAt(18_000)).toBe(false);
  for (const seq of [19, 20]) view.observe(statsOf('a', seq, { state: 'cordoned' }), seq * 1_000);
  const back = view.get('a', 20_000);
  expect(back && isDraining(back, goals)).toBe(true);
  view.observe(statsOf('a', 1, { boot: 'a-2', at: 21_000 }), 21_000);
  expect(isOverAt(21_000)).toBe(true);
});

it('ends when its time is up', () => {
  const view = new ClusterState();
  view.observe(statsOf('a', 1), 1_000);
  expect(isOver({ ...goal, endsBy: 5_000 }, view.get('a', 2_000), 2_000)).toBe(false);
  expect(isOver({ ...goal, endsBy: 5_000 }, view.get('a', 6_000), 6_000)).toBe(true);
});
