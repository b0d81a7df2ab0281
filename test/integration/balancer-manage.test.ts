import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { userOf } from '@evenkeel/broker';
import { statsOf } from '@evenkeel/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Bench, until } from './balancer-fixture.js';

const code = (answer: { ok?: boolean; error?: { code: string; message: string } }) => answer?.error?.code;

async function ready(bench: Bench, nodes: number): Promise<void> {
  await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === nodes);
  // Commands that move are refused until every node must have spoken.
  await until('warm', 10_000, async () => (await bench.ask({ command: 'rebalance' }))?.ok === true);
}

describe('the management queue', () => {
  it('answers every command as documented', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 40 });
    await bench.edge({ node: 'e2', sessions: 40 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await ready(bench, 2);

    const status = await bench.ask({ command: 'status' });
    expect(status).toMatchObject({
      ok: true,
      mode: 'manual',
      plan: null,
      leader: { id: 'b1' },
      why: expect.any(String),
    });
    expect(status.nodes[0]).toMatchObject({ node: 'e1', state: 'active', sessions: 40, version: '1.0.0' });

    expect(await bench.ask({ command: 'plan', node: 'e1' })).toMatchObject({
      ok: true,
      plan: { total: 40, moves: [{ from: 'e1', to: 'e2', count: 40 }], after: { e1: 0, e2: 80 } },
    });
    expect(await bench.ask({ command: 'rebalance' })).toMatchObject({
      ok: true,
      plan: { total: 0, id: null },
    });

    const unknown = await bench.ask({ command: 'drain', node: 'e9' });
    expect(code(unknown)).toBe('unknown-node');
    expect(unknown.error.message).toContain('e1, e2');
    expect(code(await bench.ask({ command: 'drain', nodes: ['e1', 'e2'] }))).toBe('no-target');
    expect(code(await bench.ask({ command: 'drain' }))).toBe('bad-command');
    expect(code(await bench.ask({ command: 'abort' }))).toBe('no-plan');
    expect(code(await bench.ask({ command: 'undo', plan: 'nope' }))).toBe('unknown-plan');
    expect(await bench.ask({ command: 'pause' })).toMatchObject({ ok: true, isPaused: true });
    expect(await bench.ask({ command: 'resume' })).toMatchObject({ ok: true, isPaused: false });

    expect(await bench.ask({ command: 'cordon', node: 'e2' })).toMatchObject({ ok: true, nodes: ['e2'] });
    const stateOf = async (node: string) =>
      (await bench.ask({ command: 'status' })).nodes.find((n: { node: string }) => n.node === node)?.state;
    await until('cordoned', 5000, async () => (await stateOf('e2')) === 'cordoned');
    await bench.ask({ command: 'uncordon', node: 'e2' });
    await until('active', 5000, async () => (await stateOf('e2')) === 'active');

    expect(await bench.ask({ command: 'drain', node: 'e1' })).toMatchObject({
      ok: true,
      plan: { total: 40 },
    });
    await until('drained', 15_000, () => bench.counts().e1 === 0);
    await until('plan over', 5000, async () => (await bench.ask({ command: 'status' })).plan === null);
    expect(code(await bench.ask({ command: 'undo' }))).toBe('no-target');
    await bench.ask({ command: 'uncordon', node: 'e1' });
    await until('active', 5000, async () => (await stateOf('e1')) === 'active');
    expect(await bench.ask({ command: 'undo' })).toMatchObject({ ok: true, plan: { total: 40 } });
    await until('undone', 15_000, () => bench.counts().e1 === 40);

    const session = [...(bench.mesh.edges.get('e1')?.sessions ?? [])][0] ?? '';
    const where = await bench.ask({ command: 'where', user: session });
    expect(where).toMatchObject({ ok: true, answered: 2, missing: [], sessions: [{ session, node: 'e1' }] });
    expect(await bench.ask({ command: 'disconnect', user: 'nobody' })).toMatchObject({
      ok: true,
      sessions: [],
    });
    expect(code(await bench.ask({ command: 'where', user: 'x'.repeat(200) }))).toBe('bad-user');
  });

  it('takes commands by the exchange of its name as by the queue', async () => {
    const bench = await Bench.open();
    await bench.balancer('b1', { EVENKEEL_OPERATORS: 'operator,guest' });
    await until('leading', 10_000, async () => (await bench.ask({ command: 'status' }))?.ok === true);
    expect(await bench.ask({ command: 'status' }, { key: 'view.status' })).toMatchObject({ ok: true });
    expect(await bench.ask({ command: 'pause' }, { key: 'operate.pause' })).toMatchObject({ isPaused: true });
    expect(await bench.ask({ command: 'resume' }, { isByQueue: true })).toMatchObject({ isPaused: false });
  });

  it('lets nobody pass for another: by the key of another command, without a user, by the queue alone', async () => {
    const bench = await Bench.open();
    await bench.balancer('b1');
    await until('leading', 10_000, async () => (await bench.ask({ command: 'status' }))?.ok === true);
    expect(code(await bench.ask({ command: 'pause' }, { key: 'view.status' }))).toBe('bad-command');
    expect(code(await bench.ask({ command: 'pause' }, { key: 'view.pause' }))).toBe('bad-command');
    for (const way of [{}, { isByQueue: true }]) {
      expect(code(await bench.ask({ command: 'pause' }, { ...way, userId: null }))).toBe('forbidden');
      expect(await bench.ask({ command: 'status' }, { ...way, userId: null })).toMatchObject({
        ok: true,
        isPaused: false,
      });
    }
  });

  it('sends no answer to a queue that is not an operator’s, and carries out nothing then', async () => {
    const bench = await Bench.open();
    const topology = bench.broker.topology({ channels: 1 });
    const waiting = async (queue: string) => (await topology.checkQueue(queue))?.messages;
    await bench.balancer('b1');
    await until('leading', 10_000, async () => (await bench.ask({ command: 'status' }))?.ok === true);
    await topology.declareQueue({ name: 'session.alice.s1' });
    const before = await waiting('mesh.plan');
    for (const replyTo of ['session.alice.s1', 'mesh.plan', 'mesh.manage']) {
      await bench.ask({ command: 'pause' }, { replyTo, timeoutMs: 100 });
      await bench.ask({ command: 'status' }, { replyTo, isByQueue: true, timeoutMs: 100 });
    }
    await until('refused', 10_000, async () => (await waiting('mesh.manage.dead')) === 6);
    expect(await bench.ask({ command: 'status' })).toMatchObject({ ok: true, isPaused: false });
    expect(await waiting('session.alice.s1')).toBe(0);
    expect(await waiting('mesh.plan')).toBe(before);
  });

  it('answers a status while a user floods it with questions, and each of these, if only that they are too many', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 1 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 1);
    const patient = { timeoutMs: 40_000 };
    const flood = Array.from({ length: 600 }, () => bench.ask({ command: 'where', user: 'a' }, patient));
    expect(await bench.ask({ command: 'status' }, patient)).toMatchObject({ ok: true });
    const answers = await Promise.all(flood);
    expect(answers.filter((answer) => answer?.ok).length).toBeGreaterThanOrEqual(100);
    for (const answer of answers.filter((each) => !each?.ok))
      expect(['busy', 'rate-limited']).toContain(code(answer));
  });

  it('answers others while somebody wants answers at direct reply-tos of processes that never were', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 1 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 1);
    for (let n = 0; n < 20; n += 1) {
      const madeUp = Buffer.from(`\x83Xv\0\x07reply@${n % 10}${'x'.repeat(12)}`, 'latin1').toString('base64');
      const replyTo = `amq.rabbitmq.reply-to.${madeUp}.${Buffer.from('key').toString('base64')}`;
      await bench.ask({ command: 'status' }, { replyTo, userId: null, timeoutMs: 1 });
    }
    for (const command of ['cordon', 'uncordon'])
      expect(await bench.ask({ command, node: 'e1' }, { timeoutMs: 20_000 })).toMatchObject({ ok: true });
  });

  it('refuses a flood of looks, and of what it refuses anyway, and takes commands of other users meanwhile', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 1 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 1);
    const nobody = { userId: null, timeoutMs: 40_000 };
    const looks = [{ command: 'status' }, { command: 'drain', node: 'e1' }, { command: 'unheard-of' }];
    const flood = looks.flatMap((look) => Array.from({ length: 300 }, () => bench.ask(look, nobody)));
    expect(await bench.ask({ command: 'cordon', node: 'e1' }, { timeoutMs: 40_000 })).toMatchObject({
      ok: true,
    });
    const codes = new Set((await Promise.all(flood)).map((answer) => code(answer)));
    expect(codes).toContain('rate-limited');
  });

  it('drains and cordons several nodes or none, when one of them takes no commands', async () => {
    const bench = await Bench.open();
    for (const node of ['e1', 'e2']) await bench.edge({ node, sessions: 10 });
    const deaf = (seq: number) => JSON.stringify(statsOf('deaf', { seq }));
    let seq = 0;
    const reporting = setInterval(() => {
      seq += 1;
      void bench.publisher.publish('mesh.stats', 'stats.deaf', deaf(seq)).catch(() => {});
    }, 500);
    onTestFinished(() => clearInterval(reporting));
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await ready(bench, 3);
    const states = async () => {
      const { nodes } = await bench.ask({ command: 'status' });
      return nodes.map((n: { node: string; state: string }) => `${n.node} ${n.state}`).sort();
    };
    expect(code(await bench.ask({ command: 'drain', nodes: ['e1', 'deaf'] }))).toBe('node-unreachable');
    expect(code(await bench.ask({ command: 'cordon', nodes: ['e1', 'deaf'] }))).toBe('node-unreachable');
    await until(
      'as before',
      5_000,
      async () => (await states()).join() === 'deaf active,e1 active,e2 active',
    );
    expect(bench.counts()).toEqual({ e1: 10, e2: 10 });
  });

  it('cordons the next process of a node that is to be cordoned, and lifts a cordon of one that is not there', async () => {
    const bench = await Bench.open();
    const edge = await bench.edge({ node: 'e1' });
    await bench.edge({ node: 'e2' });
    await bench.balancer('b1');
    const stateOf = async (node: string) =>
      (await bench.ask({ command: 'status' }))?.nodes?.find((n: { node: string }) => n.node === node)?.state;
    await until('both are known', 20_000, async () => (await stateOf('e2')) === 'active');
    expect(await bench.ask({ command: 'cordon', node: 'e1' })).toMatchObject({ ok: true });
    await until('cordoned', 20_000, async () => (await stateOf('e1')) === 'cordoned');
    await edge.stop();
    const next = await bench.edge({ node: 'e1' });
    await until('cordoned again', 30_000, () => next.state === 'cordoned');
    await until('shown as cordoned', 20_000, async () => (await stateOf('e1')) === 'cordoned');
    await next.stop();
    await until('gone', 40_000, async () => (await stateOf('e1')) === 'gone');
    // Asked so often, it may be told that this is too often.
    const cordons = async () =>
      (await bench.ask({ command: 'status' })).cordons?.map((c: { node: string }) => c.node);
    await until('still to be cordoned', 10_000, async () => (await cordons())?.join() === 'e1');
    expect(await bench.ask({ command: 'uncordon', node: 'e1' })).toMatchObject({ ok: true, nodes: ['e1'] });
    await until('lifted', 10_000, async () => (await cordons())?.join() === '');
    await bench.edge({ node: 'e1' });
    await until('active', 30_000, async () => (await stateOf('e1')) === 'active');
  });

  it('says of an uncordoned node that clients do not reach and whose memory is low that it stays cordoned, and why', async () => {
    const bench = await Bench.open();
    const edge = await bench.edge({ node: 'e1', sessions: 0 });
    await bench.edge({ node: 'e2', sessions: 0 });
    edge.stats = {
      state: 'cordoned',
      reachable: false,
      memory: { part: 0.9, of: 'process', isLow: true },
    };
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await ready(bench, 2);
    await until('unreachable', 10_000, async () => {
      const { nodes } = await bench.ask({ command: 'status' });
      return nodes.some(
        (n: { reachable?: boolean; state: string }) => n.reachable === false && n.state === 'cordoned',
      );
    });
    expect(await bench.ask({ command: 'uncordon', nodes: ['e1', 'e2'] })).toMatchObject({
      ok: true,
      nodes: ['e1', 'e2'],
      unreachable: ['e1'],
      lowOnMemory: ['e1'],
      why: expect.stringContaining('e1: cordoned until clients'),
    });
    const other = await bench.ask({ command: 'uncordon', node: 'e2' });
    expect(other).not.toHaveProperty('unreachable');
  });

  it('carries out a repeated message id once and gives it the same answer', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 60 });
    await bench.edge({ node: 'e2', sessions: 0 });
    await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    let messageId = '';
    let first: unknown;
    await until('warm', 10_000, async () => {
      messageId = randomUUID();
      first = await bench.ask({ command: 'rebalance' }, { messageId });
      return code(first as Parameters<typeof code>[0]) !== 'not-ready';
    });
    expect(first).toMatchObject({ ok: true, plan: { total: 30 } });
    expect(await bench.ask({ command: 'rebalance' }, { messageId })).toEqual(first);
    await until('level', 15_000, () => bench.counts().e1 === 30 && bench.counts().e2 === 30);
    expect(bench.mesh.moves.size).toBe(30);
  });

  it('does not carry out what its sender has given up, not even when it was frozen meanwhile', async () => {
    const bench = await Bench.open();
    const topology = bench.broker.topology({ channels: 1 });
    const waiting = async (queue: string) => (await topology.checkQueue(queue))?.messages;
    const { child } = await bench.balancer('b1');
    await until('leading', 10_000, async () => (await bench.ask({ command: 'status' }))?.isPaused === false);
    child.kill('SIGSTOP');
    const answer = await bench.ask({ command: 'pause' }, { expiresMs: 500, timeoutMs: 500 });
    expect(answer).toBeUndefined();
    // It is not in the queue any more but on its way to the balancer, where nothing expires.
    expect(await waiting('mesh.manage')).toBe(0);
    expect(await waiting('mesh.manage.dead')).toBe(0);
    child.kill('SIGCONT');
    expect(await bench.ask({ command: 'status' })).toMatchObject({ ok: true, isPaused: false });
    await until('dead-lettered', 10_000, async () => (await waiting('mesh.manage.dead')) === 1);
  });

  it('answers or dead-letters 1,000 random byte strings and 1,000 mutated commands, and lives', async () => {
    const bench = await Bench.open();
    await bench.edge({ node: 'e1', sessions: 10 });
    await bench.edge({ node: 'e2', sessions: 10 });
    const balancer = await bench.balancer('b1', { EVENKEEL_MODE: 'manual' });
    await until('known', 10_000, async () => (await bench.ask({ command: 'status' }))?.nodes?.length === 2);
    const bodies = Array.from({ length: 1000 }, () => randomBytes(1 + Math.floor(Math.random() * 200)));
    const seeds = [
      { command: 'status' },
      { command: 'plan', strategy: 'least-loaded', load: 'events' },
      { command: 'drain', node: 'e9', deadlineMs: 5 },
      { command: 'where', user: 'alice' },
      { command: 'undo', plan: 'p1', v: 1 },
    ];
    for (let i = 0; i < 1000; i++) {
      const body = Buffer.from(JSON.stringify(seeds[i % seeds.length]));
      for (let k = 0; k < 1 + (i % 3); k++)
        body[Math.floor(Math.random() * body.length)] = Math.floor(Math.random() * 256);
      bodies.push(body);
    }
    const answers = [];
    for (let i = 0; i < bodies.length; i += 100) {
      const asked = bodies.slice(i, i + 100).map((body) => bench.askRaw(body, { timeoutMs: 20_000 }));
      answers.push(...(await Promise.all(asked)));
      // Of more refusals a second not each is answered.
      await sleep(200);
    }
    expect(answers.filter((a) => a === undefined)).toEqual([]);
    expect(
      answers.every((a) => a.ok === true || (typeof a.error.code === 'string' && a.error.message !== '')),
    ).toBe(true);
    for (const body of bodies.slice(0, 50)) await bench.publisher.publish('', 'mesh.manage', body);
    const topology = bench.broker.topology({ channels: 1 });
    await until(
      'dead-lettered',
      10_000,
      async () => (await topology.checkQueue('mesh.manage.dead'))?.messages === 50,
    );
    expect(code(await bench.askRaw(Buffer.alloc(70_000, 32)))).toBe('too-large');
    expect(code(await bench.askRaw(Buffer.from('{}'), { contentEncoding: 'gzip' }))).toBe('bad-encoding');
    expect(balancer.child.exitCode).toBeNull();
    expect((await bench.ask({ command: 'status' })).ok).toBe(true);
  });

  it('publishes every command and what came of it to mesh.audit', async () => {
    const bench = await Bench.open();
    const queue = `test.audit.${randomUUID()}`;
    await bench.broker.declare({
      queues: [{ name: queue, exclusive: true, durable: false }],
      bindings: [{ queue, exchange: 'mesh.audit', key: 'manage.*' }],
    });
    const entries: { key: string; entry: Record<string, unknown> }[] = [];
    await bench.broker.consumers({ channels: 1 }).consume(queue, {
      onDelivery: (d) => {
        d.ack();
        entries.push({ key: d.key, entry: JSON.parse(d.body.toString()) });
      },
    });
    await bench.balancer('b1');
    await bench.ask({ command: 'pause' });
    await bench.ask({ command: 'drain', node: 'nope' });
    await bench.askRaw(Buffer.from('not json'));
    await until('three entries', 5000, () => entries.length === 3);
    expect(entries.map((e) => [e.key, e.entry.outcome])).toEqual([
      ['manage.pause', 'ok'],
      ['manage.drain', 'unknown-node'],
      ['manage.unreadable', 'bad-json'],
    ]);
    expect(entries[0]?.entry).toMatchObject({ user: userOf(bench.amqpUrl), command: { command: 'pause' } });
  });
});
