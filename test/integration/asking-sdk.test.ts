import { AnswerError, type Client, connect, type Status } from '@evenkeel/client';
import { AskError, createPublisher, type Publisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { balancerOf } from '../support/balancer.js';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';
import { scripted } from '../support/scripted-edge-client.js';

let mesh: EdgeMesh;
let a: EdgeUnderTest;
let b: EdgeUnderTest;
let publisher: Publisher;
const clients: Client[] = [];

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  [a, b] = (await Promise.all(['a', 'b'].map((node) => mesh.edge(node, { SETTLE_TIMEOUT_MS: '400' })))) as [
    EdgeUnderTest,
    EdgeUnderTest,
  ];
  await balancerOf(mesh);
  publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  mesh.defer(() => publisher.close());
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));
afterAll(() => mesh.close());

/** A client of the SDK at an edge, without a gateway. */
function client(user: string, edge = a, session = new SessionUnderTest(user)): Client {
  const placement = async () => ({
    url: edge.url,
    node: edge.node,
    ticket: session.ticket(edge),
    session: session.sid,
    expiresInMs: 30_000,
  });
  const made = connect({ placement, WebSocket, user });
  clients.push(made);
  return made;
}

describe('a service that asks a user', () => {
  it('gets what the first client answers by its handler', async () => {
    const alice = client('zoë@x');
    alice.serve('order.confirm', async (data, { method, id }) => ({ data, method, hasId: id.length > 20 }));
    await alice.ready();
    const answer = await publisher.ask('zoë@x', 'order.confirm', { order: 7 });
    expect(answer).toEqual({ data: { order: 7 }, method: 'order.confirm', hasId: true });
  });

  it('gets the error that a handler means for it, and nothing of what else it throws', async () => {
    const statuses: Status[] = [];
    const alice = client('fails');
    alice.onStatus((status) => statuses.push(status));
    alice.serve('no', () => {
      throw new AnswerError('declined', 'not today');
    });
    alice.serve('broken', () => {
      throw new Error('secret');
    });
    await alice.ready();
    const { session } = alice;
    await expect(publisher.ask('fails', 'no')).rejects.toMatchObject({
      code: 'declined',
      message: 'not today',
      session,
    });
    const failed = await publisher.ask('fails', 'broken').catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(AskError);
    expect(failed).toMatchObject({ code: 'handler-error', message: expect.not.stringContaining('secret') });
    expect(statuses.filter(({ type }) => type === 'handler-error')).toMatchObject([{ name: 'broken' }]);
    await expect(publisher.ask('fails', 'other')).rejects.toMatchObject({ code: 'no-handler', session });
  });

  it('gets an answer of every session, a silent one as an error', async () => {
    const [one, two] = [client('all', a), client('all', b)];
    await new SessionUnderTest('all').attach(a);
    one.serve('who', () => 1);
    two.serve('who', () => {
      throw new AnswerError('busy', 'later');
    });
    await Promise.all([one.ready(), two.ready()]);
    const answers = await publisher.ask('all', 'who', null, { want: 'all', timeoutMs: 5_000 });
    const bySession = new Map(answers.map((answer) => [answer.session, answer]));
    expect(bySession.size).toBe(3);
    expect(bySession.get(one.session ?? '')).toMatchObject({ data: 1 });
    expect(bySession.get(two.session ?? '')).toMatchObject({ error: { code: 'busy' } });
    expect(answers.map(({ error }) => error?.code).sort()).toEqual(['busy', 'timeout', undefined]);
  });

  it('learns that nobody is there, that nobody answers, and that it asks nonsense', async () => {
    await expect(publisher.ask('nobody', 'q')).rejects.toMatchObject({
      code: 'no-session',
      session: undefined,
    });
    await new SessionUnderTest('silent').attach(a);
    await expect(publisher.ask('silent', 'q', 1, { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await expect(publisher.ask('silent', 'q q')).rejects.toMatchObject({ code: 'bad-name' });
    await expect(publisher.ask('', 'q')).rejects.toMatchObject({ code: 'bad-user-id' });
    for (const timeoutMs of [0, 60_001, Number.NaN])
      await expect(publisher.ask('silent', 'q', 1, { timeoutMs })).rejects.toMatchObject({
        code: 'bad-option',
      });
    const big = 'x'.repeat(65_536);
    await expect(publisher.ask('silent', 'q', big)).rejects.toMatchObject({ code: 'too-large' });
  });

  it('over a move of the client in the middle of its answer', async () => {
    const session = new SessionUnderTest('mover');
    const alice = client('mover', a, session);
    const statuses: Status[] = [];
    alice.onStatus((status) => statuses.push(status));
    let calls = 0;
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    alice.serve('slow', async () => {
      calls += 1;
      await gate;
      return 'from the other edge';
    });
    await alice.ready();
    const answer = publisher.ask('mover', 'slow');
    await eventually('the question', () => calls > 0);
    await mesh.command('a', {
      command: 'reconnect',
      move: 'm-1',
      to: { node: b.node, url: b.url },
      sessions: [session.key],
      deadlineMs: 30_000,
    });
    await eventually('the move', () => alice.node === 'b');
    go();
    expect(await answer).toBe('from the other edge');
    expect(calls).toBe(1);
    expect(statuses.map(({ type }) => type)).not.toContain('gap');
  });
});

describe('a client that serves', () => {
  it('carries out each question once, and sends an answer again that no edge has taken', async () => {
    const s = await scripted({}, undefined, connect);
    const at = await s.connected();
    let calls = 0;
    s.client.serve('q', () => {
      calls += 1;
      return calls;
    });
    at.send({ t: 'ask', seq: 1, id: 'asker.0123456789abcdef', method: 'q', data: null });
    expect(await at.take('answer')).toMatchObject({ id: 'asker.0123456789abcdef', data: 1 });
    expect(at.all('answer').every((frame) => !('topic' in frame))).toBe(true);
    s.mesh.target = s.b;
    at.terminate();
    const next = await s.b.next();
    await next.take('hello');
    next.send({ t: 'ask', seq: 1, id: 'asker.0123456789abcdef', method: 'q', data: null, redelivered: true });
    expect(await next.take('answer')).toMatchObject({ id: 'asker.0123456789abcdef', data: 1 });
    next.send({ t: 'ok', re: 'asker.0123456789abcdef' });
    await eventually('its acknowledgement', () => next.acked === 1);
    expect(calls).toBe(1);
  });

  it('refuses a second handler of a method until the first has ended', async () => {
    const s = await scripted({}, undefined, connect);
    const stop = s.client.serve('q', () => 1);
    expect(() => s.client.serve('q', () => 2)).toThrow(expect.objectContaining({ code: 'already-served' }));
    expect(() => s.client.serve('q q', () => 2)).toThrow(expect.objectContaining({ code: 'bad-name' }));
    expect(() => s.client.serve('r', 1 as never)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    stop();
    s.client.serve('q', () => 2);
  });
});
