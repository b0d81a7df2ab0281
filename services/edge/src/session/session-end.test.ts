import { beforeEach, describe, expect, it } from 'vitest';
import { pending, SessionWorld, settled } from '../../testing/session-world.js';

let world: SessionWorld;
beforeEach(() => {
  world = new SessionWorld();
});

/** A session that nobody had before. */
const begin = () => world.attach({}, { isNew: true });

describe('a client that says bye', () => {
  it('gets nothing more, and its socket is closed once what it has not acknowledged is back and the queue has gone', async () => {
    const { connection, session } = await begin();
    world.deliver(2);
    const ending = pending<'ended'>();
    world.ending = ending.promise;
    connection.receive({ t: 'ack', seq: 1 });
    connection.receive({ t: 'bye' });
    await settled();
    expect(world.deliveries.settled).toEqual(['ack 1', 'requeue 2']);
    expect(world.calls.slice(-3)).toEqual(['cancel', 'barrier', 'end as ended']);
    expect(connection.isOpen).toBe(true);
    ending.resolve('ended');
    await settled();
    expect(connection.closedWith).toMatchObject({ code: 1000, reason: 'ended' });
    expect(session.state).toBe('gone');
    expect(world.directory.size).toBe(0);
    expect(world.told).toEqual(['opened', 'ended by bye']);
  });

  it('ends its session also where the socket closes before the answer', async () => {
    const { connection } = await begin();
    connection.receive({ t: 'bye' });
    connection.lose();
    await settled();
    expect(world.told).toEqual(['opened', 'ended by bye']);
  });

  it('ends it once it has it, where it is still attaching', async () => {
    world.queue.consuming = pending();
    const { connection } = await begin();
    connection.receive({ t: 'bye' });
    await settled();
    expect(connection.isOpen).toBe(true);
    world.queue.consuming.resolve();
    await settled();
    expect(connection.closedWith?.code).toBe(1000);
    expect(world.told).toEqual(['opened', 'ended by bye']);
  });

  it('is to say it to the other edge where that is taking the session over', async () => {
    const { session, connection } = await begin();
    const released = session.release('move');
    connection.receive({ t: 'bye' });
    await released;
    await settled();
    expect(world.told).toEqual(['opened']);
    expect(world.calls).not.toContain('end as ended');
  });
});

describe('a session', () => {
  it('that an operator ends is closed at once, and ended', async () => {
    const { session, connection } = await begin();
    session.end('disconnected');
    expect(connection.closedWith?.code).toBe(4502);
    await settled();
    expect(world.told).toEqual(['opened', 'ended by disconnected']);
  });

  it('whose socket is lost is kept until its end, or its next connection', async () => {
    const first = await begin();
    first.connection.lose();
    await settled();
    expect(world.life.away).toBe(1);
    await world.attach({ resume: true }, { epoch: 2 });
    expect(world.life.away).toBe(0);
    expect(world.told).toEqual(['opened', 'detached', 'resumed']);
  });

  it('is detached and resumed where a newer socket takes its place here', async () => {
    await begin();
    await world.attach({ resume: true }, { epoch: 2 });
    expect(world.told).toEqual(['opened', 'detached', 'resumed']);
  });

  it('is not given up where its socket closes between the release by another edge and its welcome', async () => {
    world.handover.answers['edge-2'] = { outcome: 'released', suspect: 0 };
    world.queue.consuming = pending();
    const { connection } = await world.attach({ resume: true }, { from: 'edge-2', move: 'm' });
    connection.lose();
    world.queue.consuming.resolve();
    await settled();
    expect(world.told).toEqual(['detached']);
    expect(world.life.away).toBe(1);
  });

  it('that is being ended here is found ended by whoever comes for it', async () => {
    const { connection } = await begin();
    connection.lose();
    await settled();
    const ending = pending<'ended'>();
    world.ending = ending.promise;
    world.life.endAway(({ uid }) => uid === 'alice', 'disconnected');
    await world.attach({ resume: true }, { epoch: 2 });
    expect(world.told).toEqual(['opened', 'detached']);
    world.queue.counts = undefined;
    ending.resolve('ended');
    await settled();
    expect(world.told).toEqual(['opened', 'detached', 'ended by disconnected', 'opened']);
  });
});
