import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Bench, until } from './balancer-fixture.js';

const cli = join(import.meta.dirname, '..', '..', 'packages', 'operator', 'bin', 'evenkeel.mjs');

function evenkeel(bench: Bench, ...args: string[]) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const all = [cli, ...args, '--amqp-url', bench.amqpUrl];
    execFile(process.execPath, all, { timeout: 90_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Two edges, of which `e1` has six sessions that a front keeps there. */
async function behindAFront(): Promise<Bench> {
  const bench = await Bench.open();
  const e1 = await bench.edge({ node: 'e1', sessions: 16 });
  for (const session of [...e1.sessions].slice(0, 6)) e1.stuck.add(session);
  await bench.edge({ node: 'e2', sessions: 16 });
  await bench.balancer('b1');
  await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
  return bench;
}

describe('evenkeel drain behind a front that pins', () => {
  it('waits until the others have left, then says who stays and why, with exit status 1', async () => {
    const bench = await behindAFront();
    const drained = await evenkeel(bench, 'drain', 'e1', '--wait');
    expect(drained.code).toBe(1);
    expect(drained.stderr).toContain('6 sessions stayed: 6 pinned by the front on e1');
    expect(bench.counts()).toEqual({ e1: 6, e2: 26 });
    const status = await bench.ask({ command: 'status' });
    expect(status.nodes[0]).toMatchObject({
      node: 'e1',
      pinned: 6,
      drain: { by: 'guest', state: 'stayed', why: '6 pinned by the front' },
    });
    expect(status.why).toContain('6 pinned by the front are left on e1');
    expect(status.history[0]).toMatchObject({ by: 'guest', state: 'done', done: 10, pinned: 6 });
    const text = (await evenkeel(bench, 'status')).stdout;
    expect(text).toContain('drain   e1 ended by guest, 6 stayed: 6 pinned by the front');
  });

  it('closes what is pinned where that is asked for, and ends empty', async () => {
    const bench = await behindAFront();
    const drained = await evenkeel(bench, 'drain', 'e1', '--wait', '--close-pinned', '--rate', '100');
    expect(drained.stderr).not.toContain('stayed');
    expect(drained.code).toBe(0);
    expect(bench.counts()).toEqual({ e1: 0, e2: 26 });
    // The node is empty a moment before the plan is over.
    const lastOutcome = async () => (await bench.ask({ command: 'status' })).history[0].outcome;
    await expect.poll(lastOutcome, { timeout: 10_000 }).toBe('6 pinned by the front were closed');
  });

  it('tells an edge that shuts down to go on waiting while nobody has room, and moves its sessions when a node has come', async () => {
    const bench = await Bench.open();
    const e1 = await bench.edge({ node: 'e1', sessions: 10 });
    const e2 = await bench.edge({ node: 'e2', sessions: 10 });
    e2.stats = { capacity: 10 };
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    e1.setState('draining');
    await until('told twice', 15_000, () => e1.commands.length >= 2);
    expect(e1.commands.every(({ sessions }) => sessions?.length === 0)).toBe(true);
    expect(bench.counts()).toEqual({ e1: 10, e2: 10 });
    await bench.edge({ node: 'e3' });
    await until('moved', 15_000, () => bench.counts().e1 === 0);
    expect(bench.counts()).toEqual({ e1: 0, e2: 10, e3: 10 });
  });

  it('says that nobody was disconnected, with exit status 1', async () => {
    const bench = await behindAFront();
    const nobody = await evenkeel(bench, 'disconnect', 'nobody');
    expect(nobody.code).toBe(1);
    expect(nobody.stderr).toContain('nobody is not connected; nobody was disconnected');
  });

  it('names who has paused rebalancing, also by an undo, and what ends that', async () => {
    const bench = await behindAFront();
    await until('warm', 10_000, async () => (await bench.ask({ command: 'rebalance' }))?.ok === true);
    await evenkeel(bench, 'drain', 'e1', '--wait');
    await evenkeel(bench, 'uncordon', 'e1');
    const stateOf = async () => (await bench.ask({ command: 'status' })).nodes[0].state;
    await until('active', 10_000, async () => (await stateOf()) === 'active');
    // Levelling may have begun: what is undone is whatever was last.
    await until('idle', 20_000, async () => (await bench.ask({ command: 'pause' })).plan === null);
    await until('idle', 20_000, async () => (await bench.ask({ command: 'status' })).plan === null);
    const undone = await evenkeel(bench, 'undo');
    expect(undone.stdout).toContain('Automatic rebalancing is paused now');
    const text = (await evenkeel(bench, 'status')).stdout;
    expect(text).toMatch(
      /paused {2}automatic rebalancing by guest since .* \(undo of .*\); evenkeel resume ends it/,
    );
  });
});
