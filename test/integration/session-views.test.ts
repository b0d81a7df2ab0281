import { freePort, Member } from '@evenkeel/local';
import { createOperator, type Operator } from 'evenkeel';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, type EdgeUnderTest, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
let one: EdgeUnderTest;
let two: EdgeUnderTest;
let operator: Operator;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const balancer = new Member({
    role: 'balancer',
    name: 'b1',
    opsPort: await freePort(),
    env: { EVENKEEL_AMQP_URL: mesh.urlFor('balancer'), EVENKEEL_ID: 'b1', EVENKEEL_MODE: 'manual' },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  mesh.defer(() => balancer.kill());
  [one, two] = await Promise.all([
    mesh.edge('v1', { WINDOW: '2', CAPACITY: '500' }),
    mesh.edge('v2'),
    balancer.start(),
  ]);
  operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  mesh.defer(() => operator.close());
  await vi.waitUntil(async () => (await operator.status()).nodes.length === 2, { timeout: 20_000 });
}, 60_000);
afterAll(() => mesh.close(), 30_000);

describe('a session', () => {
  it('is shown with what waits for it and when it has last acknowledged, over a move and without a socket, to its end', async () => {
    const session = new SessionUnderTest('Zoë');
    const ask = () => operator.session(session.sid);
    const client = await session.attach(one, { topics: ['news'] }, {}, { acks: false });
    await mesh.numbers(session, 1, 6);
    await client.frame('event', (frame) => frame.seq === 2);
    client.ack(1);
    await expect.poll(ask, { timeout: 10_000 }).toMatchObject({ queued: 3, lastAckAt: expect.any(Number) });
    expect(await ask()).toMatchObject({
      user: 'Zoë',
      session: session.sid,
      node: 'v1',
      isAttached: true,
      topics: 1,
      unacked: 2,
      generation: session.epoch,
      connection: expect.any(String),
      history: [{ kind: 'opened', node: 'v1' }],
      moves: [],
    });

    const moved = await mesh.follow(session, client, one, two, {}, { acks: false });
    // Closed before, it would not have been attached.
    await moved.frame('welcome');
    await expect.poll(ask, { timeout: 10_000 }).toMatchObject({
      node: 'v2',
      moves: [{ from: 'v1', to: 'v2', outcome: 'done' }],
      history: [{ kind: 'moved', node: 'v1', reason: 'to v2' }, { kind: 'opened' }],
    });

    await moved.close(4321);
    await expect.poll(ask, { timeout: 10_000 }).toMatchObject({
      node: 'v2',
      isAttached: false,
      history: [{ kind: 'detached', node: 'v2', code: 4321 }, { kind: 'moved' }, { kind: 'opened' }],
    });
    const where = await operator.where('Zoë');
    expect(where.sessions).toMatchObject([{ session: session.sid, isAttached: false }]);
    // One more may be the mesh's own.
    expect([5, 6]).toContain(where.sessions?.[0]?.queued);

    expect(await operator.disconnect({ session: session.sid })).toMatchObject({
      sessions: [{ session: session.sid }],
    });
    await expect
      .poll(() => ask().catch((error: unknown) => error), { timeout: 10_000 })
      .toMatchObject({
        code: 'unknown-session',
        message: expect.stringContaining('the last of it was ended on v2'),
      });
  });

  it('is disconnected alone: others of its user stay', async () => {
    const [alone, other] = [new SessionUnderTest('eve'), new SessionUnderTest('eve')];
    const [client, stays] = await Promise.all([alone.attach(one), other.attach(two)]);
    expect(await operator.disconnect({ session: alone.key })).toMatchObject({
      session: alone.key,
      sessions: [{ session: alone.sid, node: 'v1' }],
    });
    expect((await client.closed).code).toBe(4502);
    expect(stays.isOpen).toBe(true);
  });
});

describe('a node', () => {
  it('says its limits and settings, and none of its secrets', async () => {
    const node = await operator.node('v1');
    expect(node).toMatchObject({
      isAnswered: true,
      node: { node: 'v1', state: 'active' },
      limits: { capacity: 500, window: 2, maxSocketsPerUser: 64 },
      settings: { node: 'v1', heartbeatMs: expect.any(Number) },
      closes: expect.any(Object),
      gaps: expect.any(Object),
      refused: expect.any(Object),
      movesByOutcome: expect.any(Object),
      amqp: { consuming: { isConnected: true, isBlocked: false, recovering: 0 } },
    });
    const text = JSON.stringify(node);
    for (const secret of ['amqp://', 'edge-test-secret']) expect(text).not.toContain(secret);
  });

  it('takes its capacity and weight from an operator, and has its own back', async () => {
    const reported = async () => {
      const { node } = await operator.node('v1');
      return [node.capacity, node.weight];
    };
    await operator.set({ node: 'v1', name: 'capacity', value: '100' });
    await operator.set({ node: 'v1', name: 'weight', value: 0.5 });
    await expect.poll(reported, { timeout: 10_000 }).toEqual([100, 0.5]);
    await operator.set({ node: 'v1', name: 'capacity', value: null });
    await operator.set({ node: 'v1', name: 'weight', value: null });
    await expect.poll(reported, { timeout: 10_000 }).toEqual([500, 1]);
  });
});
