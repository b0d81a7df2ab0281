import { expect, it } from 'vitest';
import { type Decision, Decisions, wait } from './decision.js';

it('decisions are counted when they change, and each plan', () => {
  const decisions = new Decisions();
  const plan: Decision = {
    kind: 'plan',
    planKind: 'rebalance',
    why: 'b is 5 over its share of 3',
    draft: { steps: [], total: 0 } as unknown as Extract<Decision, { kind: 'plan' }>['draft'],
  };
  for (const decision of [
    wait('level', 'level within the thresholds'),
    wait('level', 'one active node alone: nothing to level'),
    wait('settling', 'b is joining'),
    plan,
    plan,
    wait('level', 'level within the thresholds'),
  ])
    decisions.take(decision);
  const counts = [...decisions.counts].filter(([, count]) => count > 0);
  expect(Object.fromEntries(counts)).toEqual({ level: 2, settling: 1, rebalance: 2 });
});
