import { expect, it } from 'vitest';
import { lastThatMoved, type PastPlan, remember } from './past-plan.js';

const past = (id: string, pairs: number): PastPlan => ({
  id,
  kind: 'rebalance',
  state: 'done',
  why: 'a is 9 over its share of 5',
  outcome: 'all moved',
  by: 'auto',
  total: pairs,
  done: pairs,
  failed: 0,
  pinned: 0,
  timedOut: 0,
  startedAt: 1,
  endedAt: 2,
  moved: Array.from({ length: pairs }, (_, i) => ({ from: `edge-${i}`, to: `edge-${i + 1}`, done: 1 })),
});

it('remembers a hundred plans, and who went where of those last made, however many nodes there are', () => {
  let history: PastPlan[] = [];
  for (let i = 0; i < 150; i++) history = remember(history, past(`p${i}`, 999));
  expect(history).toHaveLength(100);
  expect(history.at(-1)?.moved).toHaveLength(999);
  expect(history.filter(({ moved }) => moved.length > 0)).toHaveLength(5);
  expect(JSON.stringify(history).length).toBeLessThan(500_000);
  expect(remember([], past('large', 9_999))[0]?.moved).toHaveLength(9_999);
});

it('takes the newest plan that has moved anybody as the one to undo', () => {
  const [moved, idle] = [past('p1', 2), past('p2', 0)];
  expect(lastThatMoved([past('p0', 1), moved, idle])).toBe(moved);
  expect(lastThatMoved([idle])).toBe(idle);
  expect(lastThatMoved([])).toBeUndefined();
});
