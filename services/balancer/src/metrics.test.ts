import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { SmallCluster } from '../testing/small-cluster.js';
import { balancerMetrics } from './metrics.js';

function make(nodes: ConstructorParameters<typeof SmallCluster>[0]) {
  const cluster = new SmallCluster(nodes);
  const registry = new Registry();
  const metrics = balancerMetrics(registry, cluster.balancer, () => cluster.nowMs);
  /** The values of a metric that are not 0, by what is between its braces. */
  const values = async (name: string): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const line of (await registry.metrics()).split('\n')) {
      const [, labels = '', value] = new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)$`).exec(line) ?? [];
      if (value !== undefined && Number(value) !== 0) found[labels] = Number(value);
    }
    return found;
  };
  return { cluster, metrics, values };
}

it('nodes are counted by state, and the oldest report among those that are counted on is the age of the view', async () => {
  const { cluster, values } = make({ a: { sessions: 100 }, b: { sessions: 100 } });
  cluster.play(5);
  expect(await values('evenkeel_balancer_nodes')).toEqual({ 'state="active"': 2 });
  const age = (await values('evenkeel_balancer_view_age_seconds'))[''] ?? 0;
  expect(age).toBeLessThanOrEqual(1);
  cluster.nowMs += 1_500;
  expect((await values('evenkeel_balancer_view_age_seconds'))['']).toBeCloseTo(age + 1.5);
});

it('a rebalance by itself is a decision, and so is that nothing is to be done', async () => {
  const { cluster, values } = make({ a: { sessions: 300 }, b: {} });
  cluster.play(60);
  const decisions = await values('evenkeel_balancer_decisions_total');
  expect(decisions['why="rebalance"']).toBe(1);
  expect(decisions['why="level"']).toBeGreaterThanOrEqual(1);
});

it('plans that are over are counted by kind and how they ended, their moves by what became of them', async () => {
  const { metrics, values } = make({});
  metrics.ended({
    id: 'p1',
    kind: 'drain',
    state: 'partial',
    why: '',
    outcome: '',
    by: 'auto',
    total: 10,
    done: 5,
    failed: 3,
    pinned: 2,
    timedOut: 2,
    startedAt: 0,
    endedAt: 1,
    moved: [],
  });
  expect(await values('evenkeel_balancer_plans_total')).toEqual({ 'kind="drain",outcome="partial"': 1 });
  expect(await values('evenkeel_balancer_moves_total')).toEqual({
    'outcome="done"': 5,
    'outcome="failed"': 1,
    'outcome="timed-out"': 2,
    'outcome="pinned"': 2,
  });
});
