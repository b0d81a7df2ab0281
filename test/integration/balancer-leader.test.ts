import { randomUUID } from 'node:crypto';
import { Broker } from '@evenkeel/broker';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BalancerHandle, Bench, until } from './balancer-fixture.js';

async function leaderOf(bench: Bench): Promise<string | undefined> {
  return (await bench.ask({ command: 'status' }, { timeoutMs: 500 }))?.leader?.id;
}

describe('several balancers', () => {
  it('finish the plan of a leader that was killed with -9, moving nobody twice', async () => {
    const bench = await Bench.open();
    const edges = [
      await bench.edge({ node: 'e1', sessions: 600, moveMs: 10 }),
      await bench.edge({ node: 'e2', sessions: 600, moveMs: 10 }),
    ];
    // Slow on purpose: the kill must fall into the middle of the plan.
    const env = { EVENKEEL_START_PER_SECOND: '60', EVENKEEL_MAX_PER_SECOND: '60' };
    const balancers = new Map<string, BalancerHandle>();
    for (const id of ['b1', 'b2']) balancers.set(id, await bench.balancer(id, env));
    await until('known', 30_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    const e3 = await bench.edge({ node: 'e3' });
    await until('half way', 20_000, () => e3.sessions.size >= 100);
    const before = await bench.ask({ command: 'status' });
    expect(before.plan).toMatchObject({ total: 400, state: 'running' });
    const killed = balancers.get(before.leader.id);
    await killed?.kill('SIGKILL');
    const sent = edges.map((e) => e.commands.length);
    await until('led by the other', 20_000, async () => {
      const id = await leaderOf(bench);
      return id !== undefined && id !== before.leader.id;
    });
    await until('level', 30_000, () => Object.values(bench.counts()).every((n) => n === 400));
    await until('plan over', 30_000, async () => (await bench.ask({ command: 'status' }))?.plan === null);
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
    await until('b1 leads', 30_000, async () => (await leaderOf(bench)) === 'b1');
    await first.kill('SIGTERM');
    expect(first.child.exitCode).toBe(0);
    await until('b2 leads', 30_000, async () => (await leaderOf(bench)) === 'b2');
  });

  it('carry out a command once, also when the leader freezes over it and wakes again', async () => {
    const bench = await Bench.open();
    const queue = `test.audit.${randomUUID()}`;
    await bench.broker.declare({
      queues: [{ name: queue, exclusive: true, durable: false }],
      bindings: [{ queue, exchange: 'mesh.audit', key: 'manage.pause' }],
    });
    let pauses = 0;
    await bench.broker.consumers({ channels: 1 }).consume(queue, {
      onDelivery: (d) => {
        d.ack();
        pauses += 1;
      },
    });
    const frozen = await bench.balancer('b1');
    await bench.balancer('b2');
    await until('b1 leads', 30_000, async () => (await leaderOf(bench)) === 'b1');
    frozen.child.kill('SIGSTOP');
    onTestFinished(() => void frozen.child.kill('SIGCONT'));
    expect(await bench.ask({ command: 'pause' }, { timeoutMs: 30_000 })).toMatchObject({ ok: true });
    await until('b2 leads', 20_000, async () => (await leaderOf(bench)) === 'b2');
    frozen.child.kill('SIGCONT');
    const hasLogged = (text: string) => frozen.lines.some((line) => line.includes(text));
    await until('b1 follows', 20_000, () => hasLogged('"no longer leading"'));
    await until('b1 is connected again', 20_000, () => hasLogged('"queue made again"'));
    expect(pauses).toBe(1);
    expect((await bench.ask({ command: 'status' })).leader.id).toBe('b2');
  });

  it('command nothing and save nothing when they wake from a freeze and another leads', async () => {
    const bench = await Bench.open();
    const edges = [
      await bench.edge({ node: 'e1', sessions: 400, moveMs: 10 }),
      await bench.edge({ node: 'e2', moveMs: 10 }),
    ];
    const env = { EVENKEEL_START_PER_SECOND: '20', EVENKEEL_MAX_PER_SECOND: '20' };
    const frozen = await bench.balancer('b1', env);
    await bench.balancer('b2', env);
    await until('under way', 30_000, () => (edges[1]?.sessions.size ?? 0) >= 20);
    expect((await bench.ask({ command: 'status' })).leader.id).toBe('b1');
    frozen.child.kill('SIGSTOP');
    onTestFinished(() => void frozen.child.kill('SIGCONT'));
    await until('b2 leads', 20_000, async () => (await leaderOf(bench)) === 'b2');
    expect(await bench.ask({ command: 'pause' })).toMatchObject({ ok: true, plan: { state: 'paused' } });
    const { plan } = await bench.ask({ command: 'status' });
    await until('nothing is under way', 20_000, async () => {
      const { nodes } = await bench.ask({ command: 'status' });
      return nodes.every((n: { moves: { pending: number } }) => n.moves.pending === 0);
    });
    const commands = edges.map((e) => e.commands.length);
    frozen.child.kill('SIGCONT');
    const hasLogged = (text: string) => frozen.lines.some((line) => line.includes(text));
    await until('b1 follows', 20_000, () => hasLogged('"no longer leading"'));
    await until('b1 is connected again', 20_000, () => hasLogged('"queue made again"'));
    expect(edges.map((e) => e.commands.length)).toEqual(commands);
    expect((await bench.ask({ command: 'status' })).plan).toMatchObject({ id: plan.id, state: 'paused' });
  });

  it('wait for the state that a dying leader still holds, however long, and say so', async () => {
    const bench = await Bench.open();
    const saved = { v: 1, drains: [], isPaused: true, history: [] };
    await bench.broker.declare({
      queues: [{ name: 'mesh.plan', arguments: { 'x-max-length': 1, 'x-overflow': 'drop-head' } }],
    });
    await bench.publisher.publish('', 'mesh.plan', JSON.stringify(saved), { persistent: true });
    const dying = await Broker.connect({ url: bench.amqpUrl, name: 'dying leader' });
    onTestFinished(() => dying.close());
    const held = new Promise((resolve) => {
      void dying.consumers({ channels: 1 }).consume('mesh.plan', { onDelivery: resolve });
    });
    await held;
    const balancer = await bench.balancer('b1');
    const hasLogged = (text: string) => balancer.lines.some((line) => line.includes(text));
    await until('leading', 20_000, () => hasLogged('"leading"'));
    await until('in doubt', 20_000, () => hasLogged('another consumes it'));
    await dying.close();
    await until('serving', 20_000, async () => (await leaderOf(bench)) === 'b1');
    expect(await bench.ask({ command: 'status' })).toMatchObject({ isPaused: true });
  });

  it('find in a replicated queue that nothing is saved, and what another has saved', async () => {
    const bench = await Bench.open();
    const url = bench.urlFor('balancer');
    const env = { EVENKEEL_AMQP_URL: `${url},${url}` };
    const first = await bench.balancer('b1', env);
    await until('b1 leads', 30_000, async () => (await leaderOf(bench)) === 'b1');
    expect(await bench.ask({ command: 'pause' })).toMatchObject({ ok: true });
    await first.kill('SIGKILL');
    const second = await bench.balancer('b2', env);
    await until('b2 leads', 30_000, async () => (await leaderOf(bench)) === 'b2');
    expect(await bench.ask({ command: 'status' })).toMatchObject({ isPaused: true });
    expect(
      second.lines.filter((line) => /taking over failed|"mesh\.plan".*queue differs/.test(line)),
    ).toEqual([]);
  });

  it('leave the state of a later version as it is, say so, and go on when it is gone', async () => {
    const bench = await Bench.open();
    const later = JSON.stringify({ v: 2, isPaused: true, plans: { p: 'whatever' } });
    await bench.broker.declare({
      queues: [{ name: 'mesh.plan', arguments: { 'x-max-length': 1, 'x-overflow': 'drop-head' } }],
    });
    await bench.publisher.publish('', 'mesh.plan', later, { persistent: true });
    await bench.edge({ node: 'e1', sessions: 60 });
    await bench.edge({ node: 'e2', sessions: 0 });
    await bench.balancer('b1');
    await until('known', 20_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    const why = expect.stringContaining('version 2');
    expect(await bench.ask({ command: 'status' })).toMatchObject({ plan: null, isPaused: true, why });
    expect(await bench.ask({ command: 'resume' })).toMatchObject({
      ok: false,
      error: { code: 'newer-state', message: why },
    });
    const kept: string[] = [];
    const reader = await bench.broker.consumers({ channels: 1 }).consume('mesh.plan', {
      onDelivery: (d) => {
        kept.push(d.body.toString());
        d.ack();
      },
    });
    await until('read', 10_000, () => kept.length > 0);
    await reader.cancel();
    expect(kept).toEqual([later]);
    expect(bench.counts()).toEqual({ e1: 60, e2: 0 });
    await until('level', 30_000, () => bench.counts().e1 === 30 && bench.counts().e2 === 30);
  });
});
