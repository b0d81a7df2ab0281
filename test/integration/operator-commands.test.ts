import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { Broker, type Delivery } from '@evenkeel/broker';
import { exchanges, manageCommand, manageKey, manageKind, meshTopology, queues } from '@evenkeel/protocol';
import { createOperator, type Operator } from 'evenkeel';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freshVhost } from '../support/broker.js';

type Script = (command: Record<string, unknown>, delivery: Delivery) => unknown;

const cli = join(import.meta.dirname, '..', '..', 'packages', 'operator', 'bin', 'evenkeel.mjs');
const nodes = [
  { node: 'e1', url: 'ws://e1/ws', state: 'active', version: '1', connections: 60, sessions: 60 },
  { node: 'e2', url: 'ws://e2/ws', state: 'cordoned', version: '1', connections: 40, sessions: 40 },
];

/** Answers `mesh.manage` by a script; undefined: no answer. */
async function startResponder(script: Script) {
  const { amqpUrl } = await freshVhost();
  const broker = await Broker.connect({ url: amqpUrl, name: 'responder', attempts: 1 });
  onTestFinished(() => broker.close());
  await broker.declare(meshTopology);
  await broker.topology().declareQueue({ name: queues.manage });
  await broker.topology().bind(queues.manage, exchanges.manage, '#');
  const publisher = broker.publisher();
  const seen: { command: Record<string, unknown>; delivery: Delivery }[] = [];
  await broker.consumers().consume(queues.manage, {
    onDelivery: (delivery) => {
      delivery.ack();
      const command = JSON.parse(delivery.body.toString()) as Record<string, unknown>;
      seen.push({ command, delivery });
      const answer = script(command, delivery);
      if (answer === undefined) return;
      const { replyTo = '', correlationId } = delivery.properties;
      const body = typeof answer === 'string' ? answer : JSON.stringify(answer);
      void publisher.publish('', replyTo, body, { correlationId });
    },
  });
  return { amqpUrl, broker, seen };
}

async function openOperator(amqpUrl: string, timeoutMs = 5_000): Promise<Operator> {
  const operator = await createOperator({ amqpUrl, timeoutMs });
  onTestFinished(() => operator.close());
  return operator;
}

const evenkeel = (args: string[], amqpUrl: string) => run([...args, '--amqp-url', amqpUrl]);

/** The same where the address comes from the environment. */
const evenkeelOf = (amqpUrl: string, ...args: string[]) =>
  run(args, { ...process.env, EVENKEEL_OPERATOR_AMQP_URL: amqpUrl });

function run(args: string[], env = process.env) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [cli, ...args], { timeout: 30_000, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** What else some commands are answered with. */
const answers: Record<string, object> = {
  denials: { denials: [], total: 0 },
  node: { node: nodes[0], isAnswered: true },
  session: { session: 's1', user: 'alice', node: 'e1', isAttached: true, moves: [], history: [] },
  history: { plans: [] },
  events: { events: [], last: null },
  settings: { settings: [], nodes: [] },
  set: { name: 'mode', value: 'manual', from: 'live' },
};

describe('createOperator', () => {
  it('sends commands that the schema accepts, each with an identity, an expiry and the validated user', async () => {
    const { amqpUrl, seen } = await startResponder(({ command }) => ({
      ok: true,
      nodes,
      leader: { id: 'b' },
      plan: null,
      ...answers[String(command)],
    }));
    const operator = await openOperator(amqpUrl, 4_000);
    await operator.status();
    await operator.plan({ nodes: ['e1'], strategy: 'least-loaded' });
    await operator.rebalance({ load: 'events' }, { id: 'my-id' });
    await operator.drain({ nodes: ['e1'], deadlineMs: 1_000 });
    await operator.cordon({ nodes: ['e1'] });
    await operator.uncordon({ nodes: ['e1'] });
    await operator.pause({ plan: 'p1' });
    await operator.resume();
    await operator.abort();
    await operator.undo();
    await operator.where('alice');
    await operator.disconnect('alice');
    await operator.disconnect({ session: 'alice.s1' });
    await operator.node('e1');
    await operator.session('alice.s1');
    await operator.history({ limit: 5, before: 'p1' });
    await operator.events({ after: '1-1' });
    await operator.settings();
    await operator.set({ name: 'mode', value: 'manual' });
    await operator.set({ node: 'e1', name: 'weight', value: null });
    await operator.deny({ user: 'alice', untilMs: Date.now() + 1_000, reason: 'spam' });
    await operator.allow({ session: 'alice.s1' });
    await operator.denials();
    await operator.forget('alice');
    for (const { command } of seen) expect(manageCommand.safeParse(command).success).toBe(true);
    expect(seen.map((s) => s.command.command)).toEqual([
      'status',
      'plan',
      'rebalance',
      'drain',
      'cordon',
      'uncordon',
      'pause',
      'resume',
      'abort',
      'undo',
      'where',
      'disconnect',
      'disconnect',
      'node',
      'session',
      'history',
      'events',
      'settings',
      'set',
      'set',
      'deny',
      'allow',
      'denials',
      'forget',
    ]);
    const ids = seen.map((s) => s.delivery.properties.messageId);
    expect(new Set(ids).size).toBe(24);
    expect(ids[2]).toBe('my-id');
    for (const { command, delivery } of seen) {
      const name = manageCommand.parse(command).command;
      expect(delivery).toMatchObject({ exchange: exchanges.manage, key: manageKey(manageKind(name), name) });
      expect(delivery.properties).toMatchObject({ userId: 'guest' });
      const expiresMs = Number(delivery.properties.expiration);
      expect(expiresMs).toBeGreaterThan(0);
      expect(expiresMs).toBeLessThanOrEqual(4000);
    }
  });

  it('keeps fields of answers that it does not know', async () => {
    const { amqpUrl } = await startResponder(() => ({ ok: true, nodes, leader: 'b', plan: null, extra: 1 }));
    const operator = await openOperator(amqpUrl);
    expect(await operator.status()).toMatchObject({ nodes, extra: 1 });
  });

  it('rejects with the code and message of a refusal', async () => {
    const error = { code: 'unknown-node', message: 'there is no node e9' };
    const { amqpUrl } = await startResponder(() => ({ ok: false, error }));
    const operator = await openOperator(amqpUrl);
    await expect(operator.drain({ node: 'e9' })).rejects.toMatchObject({ name: 'OperatorError', ...error });
  });

  it('rejects an answer that is not JSON or not of the documented form', async () => {
    const answers = ['{ no', { ok: true, nodes: 7 }];
    const { amqpUrl } = await startResponder(() => answers.shift());
    const operator = await openOperator(amqpUrl);
    await expect(operator.status()).rejects.toMatchObject({ code: 'bad-answer' });
    await expect(operator.status()).rejects.toMatchObject({ code: 'bad-answer' });
  });

  it('gives each of many commands at once its own answer', async () => {
    const { amqpUrl } = await startResponder((command) => ({
      ok: true,
      sessions: [{ session: String(command.user), node: 'e1' }],
    }));
    const operator = await openOperator(amqpUrl);
    const users = Array.from({ length: 50 }, (_, i) => `u${i}`);
    const answers = await Promise.all(users.map((user) => operator.where(user)));
    expect(answers.map((a) => a.sessions?.[0]?.session)).toEqual(users);
  });

  it('reaches a balancer that knows the queue alone', async () => {
    const { amqpUrl, broker, seen } = await startResponder(() => ({ ok: true }));
    await broker.topology().unbind(queues.manage, exchanges.manage, '#');
    await (await openOperator(amqpUrl)).cordon({ nodes: ['e1'] });
    expect(seen.map(({ delivery }) => delivery.exchange)).toEqual(['']);
  });

  it('rejects with timeout where nobody answers, and with no-balancer where there is no queue', async () => {
    const { amqpUrl } = await startResponder(() => undefined);
    await expect((await openOperator(amqpUrl, 300)).status()).rejects.toMatchObject({ code: 'timeout' });
    const { amqpUrl: empty } = await freshVhost();
    await expect((await openOperator(empty)).status()).rejects.toMatchObject({ code: 'no-balancer' });
  });

  it('rejects with unreachable, and never with the password, where RabbitMQ is not', async () => {
    const failure = await createOperator({ amqpUrl: 'amqp://guest:hidden@127.0.0.1:1' }).catch(
      (e: Error) => e,
    );
    expect(failure).toMatchObject({ name: 'OperatorError', code: 'unreachable' });
    expect(String(failure)).not.toContain('hidden');
  });

  it('says what RabbitMQ refuses to a user that may ask nothing', async () => {
    const { urlFor } = await freshVhost();
    const asking = createOperator({ amqpUrl: urlFor('app-shop'), timeoutMs: 1_000 });
    await expect(asking).rejects.toThrow(
      /app-shop has no queue for answers.*ACCESS_REFUSED.*operator or viewer/,
    );
  });

  it('tells whether an event reached a session', async () => {
    const { amqpUrl, broker } = await startResponder(() => undefined);
    const operator = await openOperator(amqpUrl);
    expect(await operator.send('a.b', 'hello', { n: 1 })).toBe(false);
    await broker.topology().declareQueue({ name: 'session.test' });
    await broker.topology().bind('session.test', exchanges.events, 'user.~YS5i.#');
    expect(await operator.send('a.b', 'hello', { n: 1 })).toBe(true);
  });
});

describe('evenkeel', () => {
  it('prints JSON alone with --json and a table without', async () => {
    const { amqpUrl } = await startResponder(() => ({ ok: true, nodes, leader: { id: 'b1' }, plan: null }));
    const asJson = await evenkeel(['status', '--json'], amqpUrl);
    expect(asJson.code).toBe(0);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ ok: true, nodes });
    const asText = await evenkeel(['status'], amqpUrl);
    expect(asText.stdout).toMatch(/e1 +active +60 +60/);
    expect(asText.stdout).toContain('leader  b1');
    expect(asText.stdout).not.toContain('\u001b');
  });

  it('exits 1 on a refusal, 2 on wrong usage, 3 without an answer', async () => {
    const error = { code: 'plan-running', message: 'plan p1 is running; wait for it or abort it first' };
    const { amqpUrl } = await startResponder((c) =>
      c.command === 'undo' ? undefined : { ok: false, error },
    );
    const refused = await evenkeel(['rebalance'], amqpUrl);
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('wait for it or abort it first');
    const refusedJson = await evenkeel(['rebalance', '--json'], amqpUrl);
    expect([refusedJson.code, JSON.parse(refusedJson.stdout)]).toEqual([1, { ok: false, error }]);
    expect((await evenkeel(['drain'], amqpUrl)).code).toBe(2);
    expect((await evenkeel(['frobnicate'], amqpUrl)).code).toBe(2);
    expect((await evenkeel(['send', 'alice', 'not json'], amqpUrl)).code).toBe(2);
    expect((await evenkeel(['undo', '--timeout', '0.3'], amqpUrl)).code).toBe(3);
    expect((await evenkeel(['status'], 'amqp://127.0.0.1:1')).code).toBe(3);
  });

  it('exits 2, and sends nothing, where most of the capacity would go without --yes and there is nobody to ask', async () => {
    const { amqpUrl, seen } = await startResponder(() => ({ ok: true, nodes, leader: 'b', plan: null }));
    for (const verb of ['drain', 'cordon']) {
      const { code, stdout, stderr } = await evenkeel([verb, 'e1'], amqpUrl);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('add --yes');
    }
    expect(seen.map((s) => s.command.command)).toEqual(['status', 'status']);
    expect((await evenkeel(['cordon', 'e1', '--yes'], amqpUrl)).code).toBe(0);
  });

  it('gives the names of nodes to completion, and nothing where nobody answers', async () => {
    const { amqpUrl } = await startResponder(() => ({ ok: true, nodes, leader: 'b', plan: null }));
    const words = (url: string) => evenkeelOf(url, 'completion', '--words', 'nodes');
    // It gives up after a second.
    await expect.poll(() => words(amqpUrl)).toEqual({ code: 0, stdout: 'e1\ne2\n', stderr: '' });
    expect(await words('amqp://127.0.0.1:1')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('waits for a rebalance with --wait, progress on standard error', async () => {
    let looks = 0;
    const moves = [{ from: 'e1', to: 'e2', count: 10 }];
    const { amqpUrl } = await startResponder(({ command }) => {
      if (command === 'rebalance') return { ok: true, plan: { id: 'p1', moves, total: 10 } };
      looks += 1;
      const done = Math.min(10, looks * 4);
      const plan = { id: 'p1', kind: 'rebalance', state: 'running', total: 10, done, moves };
      const past = { ...plan, state: 'done' };
      return {
        ok: true,
        nodes,
        leader: 'b',
        plan: done < 10 ? plan : null,
        history: done < 10 ? [] : [past],
      };
    });
    const { code, stdout, stderr } = await evenkeel(['rebalance', '--wait', '--json'], amqpUrl);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, plan: { id: 'p1', state: 'done', done: 10 } });
    expect(stderr).toMatch(/40 % +4 of 10/);
    expect(stderr).toMatch(/100 % +10 of 10/);
  });

  it('says with exit code 1 that a plan did not come to its end', async () => {
    const plan = { id: 'p1', moves: [], total: 10 };
    const { amqpUrl } = await startResponder(({ command }) =>
      command === 'rebalance'
        ? { ok: true, plan }
        : { ok: true, nodes, leader: 'b', plan: null, history: [{ ...plan, state: 'aborted', done: 3 }] },
    );
    const { code, stderr } = await evenkeel(['rebalance', '--wait'], amqpUrl);
    expect(code).toBe(1);
    expect(stderr).toContain('aborted');
  });

  it('waits until drained nodes are empty', async () => {
    let looks = 0;
    const { amqpUrl } = await startResponder(({ command }) => {
      if (command === 'drain') return { ok: true, nodes: ['e1'], plan: { total: 60, moves: [] } };
      looks += 1;
      const state = looks === 1 ? 'active' : 'draining';
      return {
        ok: true,
        leader: 'b',
        plan: null,
        nodes: [{ ...nodes[0], state, sessions: 90 - looks * 30 }],
      };
    });
    const { code, stdout } = await evenkeel(['drain', 'e1', '--wait', '--yes'], amqpUrl);
    expect([code, looks]).toEqual([0, 3]);
    expect(stdout).toContain('drain done 60 of 60 moved');
  });

  it('prints one frame after another over a pipe', async () => {
    const { amqpUrl } = await startResponder(() => ({ ok: true, nodes, leader: 'b', plan: null }));
    const { code, stdout } = await evenkeel(['top', '--frames', '3', '--interval', '0.05'], amqpUrl);
    expect(code).toBe(0);
    expect(stdout.match(/evenkeel top/g)).toHaveLength(3);
    expect(stdout).not.toContain('\u001b');
    const asJson = await evenkeel(['top', '--json', '--frames', '2', '--interval', '0.05'], amqpUrl);
    expect(
      asJson.stdout
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l).ok),
    ).toEqual([true, true]);
  });
});
