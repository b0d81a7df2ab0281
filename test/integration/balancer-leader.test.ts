import { describe, expect, it } from 'vitest';
import { type BalancerHandle, Bench, until } from './balancer-fixture.js';

async function leaderOf(bench: Bench): Promise<string | undefined> {
  return (await bench.ask({ command: 'status' }, { timeoutMs: 500 }))?.leader?.id;
}

describe('several balancers', () => {
  it('finish a plan within seconds of the kill -9 of their leader, moving nobody twice', async () => {
    const bench = await Bench.open();
    const edges = [
      await bench.edge({ node: 'e1', sessions: 600, moveMs: 10 }),
      await bench.edge({ node: 'e2', sessions: 600, moveMs: 10 }),
    ];
    // Slow on purpose: the kill must fall into the middle of the plan.
    const env = { EVENKEEL_START_PER_SECOND: '60', EVENKEEL_MAX_PER_SECOND: '60' };
    const balancers = new Map<string, BalancerHandle>();
    for (const id of ['b1', 'b2']) balancers.set(id, await bench.balancer(id, env));
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    const e3 = await bench.edge({ node: 'e3' });
    await until('half way', 20_000, () => e3.sessions.size >= 100);
    const before = await bench.ask({ command: 'status' });
    expect(before.plan).toMatchObject({ total: 400, state: 'running' });
    const killed = balancers.get(before.leader.id);
    await killed?.kill('SIGKILL');
    const sent = edges.map((e) => e.commands.length);
    const tookMs = await until('led by the other', 5000, async () => {
      const id = await leaderOf(bench);
      return id !== undefined && id !== before.leader.id;
    });
    expect(tookMs).toBeLessThan(5000);
    await until('level', 30_000, () => Object.values(bench.counts()).every((n) => n === 400));
    await until('plan over', 5000, async () => (await bench.ask({ command: 'status' }))?.plan === null);
    expect(Math.max(...bench.mesh.moves.values())).toBe(1);
    expect(bench.mesh.moves.size).toBe(400);
    const after = await bench.ask({ command: 'status' });
    expect(after.history[0]).toMatchObject({ id: before.plan.id, state: 'done', done: 400, failed: 0 });
    expect(edges.map((e, i) => e.commands.length - (sent[i] ?? 0)).every((n) => n > 0)).toBe(true);
  });

  it('are led by exactly one, and by another after a clean stop', async () => {
    const bench = await Bench.open();
    const first = await bench.balancer('b1');
    await bench.balancer('b2');
    await until('b1 leads', 5000, async () => (await leaderOf(bench)) === 'b1');
    await first.kill('SIGTERM');
    expect(first.child.exitCode).toBe(0);
    await until('b2 leads', 5000, async () => (await leaderOf(bench)) === 'b2');
  });
});
