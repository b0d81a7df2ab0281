import { beforeEach, expect, it } from 'vitest';
import type { FakeConnection } from '../../testing/fake-connection.js';
import { codes, pending, SessionWorld, settled } from '../../testing/session-world.js';
import type { Session } from './session.js';

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

it('writes nothing before its welcome where it is let go while it attaches, and leaves no place of a connection without a name', async () => {
  world.queue.isSealed = false;
  world.queue.consuming = pending();
  const { connection, session } = await world.attach({ resume: true });
  const release = session.release('resume');
  world.deliver(2);
  expect(connection.kinds).toEqual([]);
  expect(world.deliveries.settled).toEqual(['requeue 1', 'requeue 2']);
  world.queue.consuming.resolve();
  expect((await release).position).toBeUndefined();
});

/** Others have the entrance, until they are let through. */
function crowd(): () => void {
  const working = pending<void>();
  for (let n = 0; n < 16; n += 1) void world.entrance.enter({}, () => working.promise);
  return () => working.resolve();
}

it.each([
  ['has lost its connection', ({ connection }: { connection: FakeConnection }) => connection.lose()],
  ['is asked for', ({ session }: { session: Session }) => void session.release('resume')],
])('passes on what another edge said of it, once, when it %s before its turn', async (_, gone) => {
  const left = { owed: 'overflow', position: { connection: 'a.1', seq: 3, count: 1 } } as const;
  world.handover.answers['edge-2'] = { outcome: 'unknown', suspect: 1, ...left };
  world.handover.isAway = true;
  crowd();
  const attached = await world.attach({ resume: true }, { from: 'edge-2' });
  gone(attached);
  await settled();
  expect(attached.session.state).toBe('gone');
  expect(world.life.away).toBe(1);
  expect(world.leftBehind.of(attached.session.key)).toMatchObject(left);
});

it('forgets what another edge said of it when somebody turns out to have it since', async () => {
  const owed = 'overflow';
  world.handover.answers['edge-2'] = { outcome: 'unknown', suspect: 1, owed };
  world.queue.counts = { messages: 0, consumers: 1 };
  const searched = pending<{ outcome: 'unknown' }>();
  world.handover.searched = searched.promise;
  const { connection, session } = await world.attach({ resume: true }, { from: 'edge-2' });
  connection.lose();
  searched.resolve({ outcome: 'unknown' });
  await settled();
  expect([session.state, world.life.away]).toEqual(['gone', 1]);
  expect(world.leftBehind.of(session.key)).toBeUndefined();
});

it('forgets it, too, when its queue has gone, and the next one cannot be consumed', async () => {
  world.handover.answers['edge-2'] = { outcome: 'unknown', suspect: 1, owed: 'overflow' };
  world.queue.counts = undefined;
  world.queue.consuming = pending();
  const { connection, session } = await world.attach({ resume: true }, { from: 'edge-2' });
  world.queue.consuming.reject(new Error('away'));
  await settled();
  expect(connection.closedWith?.code).toBe(codes.brokerUnavailable);
  expect(world.leftBehind.of(session.key)).toBeUndefined();
});

it('that never was is not told of as lost when it goes before its turn', async () => {
  crowd();
  const { connection, session } = await world.attach({}, { isNew: true });
  connection.lose();
  await settled();
  expect(session.state).toBe('gone');
  expect([world.life.away, world.told, world.calls]).toEqual([0, [], ['abandon']]);
});
