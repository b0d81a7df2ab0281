import type { Plan } from '../src/core/plan/plan.js';

/** A plan that moves `count` sessions from `a` to `b`. */
export function planOf(count: number, over: Partial<Plan> = {}): Plan {
  return {
    id: 'p',
    kind: 'rebalance',
    why: 'test',
    by: 'auto',
    strategy: 'least-loaded',
    load: 'connections',
    steps: [{ from: 'a', to: 'b', count }],
    total: count,
    startedAt: 0,
    moveDeadlineMs: 10_000,
    ...over,
  };
}
