import { freePort, Member } from '@evenkeel/local';
import { exchanges } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';
import { MeshListener } from '../support/mesh-listener.js';
import { metric } from '../support/metric.js';

const lifetimeMs = 22_000;
const patience = { timeout: 20_000, interval: 100 };

async function startBalancer(mesh: EdgeMesh, id: string): Promise<Member> {
  const balancer = new Member({
    role: 'balancer',
    name: id,
    opsPort: await freePort(),
    env: { EVENKEEL_AMQP_URL: mesh.urlFor('balancer'), EVENKEEL_ID: id, EVENKEEL_MODE: 'manual' },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  await balancer.start();
  mesh.defer(() => balancer.stop('SIGTERM', 3_000));
  return balancer;
}

/** Sessions in the register of the balancer. */
const registered = (balancer: Member) => metric(balancer, 'evenkeel_balancer_sessions');

it('sessions of an edge that is killed, or stopped, are told as detached and ended by another edge in time', async () => {
  const mesh = await EdgeMesh.open();
  onTestFinished(() => mesh.close());
  const env = { SESSION_LIFETIME_MS: String(lifetimeMs) };
  const [a, b, c] = await Promise.all(['life-a', 'life-b', 'life-c'].map((node) => mesh.edge(node, env)));
  if (!a || !b || !c) throw new Error('three edges');
  const sessions = await MeshListener.open(mesh.urlFor('app-shop'), exchanges.sessions);
  const undelivered = await MeshListener.open(mesh.urlFor('app-shop'), exchanges.undelivered);
  mesh.defer(() => Promise.all([sessions.close(), undelivered.close()]));
  const [held, away, back, late] = ['held', 'away', 'back', 'late'].map((user) => new SessionUnderTest(user));
  if (!held || !away || !back || !late) throw new Error('four sessions');

  for (const session of [held, away, back]) await session.attach(a);
  const client = await away.attach(a, { resume: true }, { from: a.node });
  client.terminate();
  await sessions.happened(away, ['opened', 'detached', 'resumed', 'detached']);

  // Both begin when the sessions are there already, and ask for them; the second will lead.
  const first = await startBalancer(mesh, 'first');
  const second = await startBalancer(mesh, 'second');
  for (const balancer of [first, second])
    await vi.waitFor(async () => expect(await registered(balancer)).toBe(3), patience);
  await first.stop('SIGTERM', 5_000);

  const killedAtMs = performance.now();
  await a.member.kill();
  const again = await back.attach(b, { resume: true }, { from: a.node });
  await sessions.happened(back, ['opened', 'resumed']);
  await sessions.happened(held, ['opened', 'detached'], 20_000);

  await mesh.event(held, 'nobody is there', { messageId: 'm1' });
  const other = await late.attach(b);
  other.terminate();
  await sessions.happened(late, ['opened', 'detached']);
  const stoppedAtMs = performance.now();
  await b.member.stop('SIGTERM', 20_000);
  expect(again.ended?.code).toBe(4000);
  await sessions.happened(back, ['opened', 'resumed', 'detached']);

  const endsInMs = (fromMs: number) => fromMs + lifetimeMs + 30_000 - performance.now();
  const ended = ['opened', 'detached', 'ended expired'];
  await sessions.happened(held, ended, endsInMs(killedAtMs));
  const awaysEnd = ['opened', 'detached', 'resumed', 'detached', 'ended expired'];
  await sessions.happened(away, awaysEnd, endsInMs(killedAtMs));
  await sessions.happened(late, ended, endsInMs(stoppedAtMs));
  const backsEnd = ['opened', 'resumed', 'detached', 'ended expired'];
  await sessions.happened(back, backsEnd, endsInMs(stoppedAtMs));
  for (const session of [held, away, back, late]) expect(await mesh.counts(session)).toBeUndefined();
  const [left] = undelivered.deliveries;
  expect(left?.properties).toMatchObject({
    messageId: 'm1',
    headers: { 'evenkeel-why': 'expired', 'evenkeel-session': held.sid },
  });
  // Where it was when its edge died.
  const told = sessions.bodies.filter(({ session }) => session === held.sid).map(({ node }) => node);
  expect(told.slice(0, 2)).toEqual([a.node, a.node]);
  await vi.waitFor(async () => expect(await registered(second)).toBe(0), patience);
});
