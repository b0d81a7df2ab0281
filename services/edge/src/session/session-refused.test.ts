import { beforeEach, expect, it } from 'vitest';
import { codes, pending, SessionWorld, settled } from '../../testing/session-world.js';

let world: SessionWorld;
beforeEach(() => {
  world = new SessionWorld();
});

it('is lost as any other when the broker goes just behind its first delivery', async () => {
  world.queue.consuming = pending();
  const { connection, session } = await world.attach();
  world.deliver(1);
  expect(session.state).toBe('attached');
  world.queue.consuming.reject(new Error('away'));
  await settled();
  expect(connection.closedWith?.code).toBe(codes.brokerUnavailable);
});

it('does not fail who comes next when it is refused meanwhile', async () => {
  world.handover.answers['edge-2'] = { outcome: 'silent' };
  world.handover.asking = pending();
  const first = await world.attach({}, { from: 'edge-2' });
  const bound = pending<void>();
  world.topics.bound = bound.promise;
  const second = await world.attach({ topics: ['a'] }, { epoch: first.session.claims.epoch + 1 });
  world.handover.asking.resolve();
  await settled();
  expect(first.connection.closedWith?.code).toBe(codes.takeoverFailed);
  bound.resolve();
  await settled();
  expect(second.connection.kinds[0]).toBe('welcome');
  expect(second.connection.closedWith).toBeUndefined();
});

it.each([
  ['has let it go', 'released', { owed: 'overflow' }],
  ['had let it go', 'unknown', { owed: 'overflow', position: { connection: 'a.1', seq: 3, count: 1 } }],
] as const)(
  'waits here, as one edge says that %s, for its next connection or its end where another is silent',
  async (_, outcome, left) => {
    world.handover.answers['edge-2'] = { outcome, suspect: 1, knowsSeals: true, ...left };
    world.handover.answers['edge-3'] = { outcome: 'silent' };
    world.handover.isAway = true;
    const { connection, session } = await world.attach({ resume: true }, { from: 'edge-2,edge-3' });
    await settled();
    expect(connection.closedWith?.code).toBe(codes.takeoverFailed);
    expect([world.life.away, world.told]).toEqual([1, []]);
    expect(world.leftBehind.of(session.key)).toMatchObject(left);
  },
);
