import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { pending, SessionWorld, settled } from '../../testing/session-world.js';
import type { MoveOutcome } from './planned-move.js';
import { anybody } from './release.js';

let world: SessionWorld;
beforeEach(() => {
  world = new SessionWorld();
});

/** It came here by a move, so nothing is held back for a look at what was dropped. */
const moved = { move: 'before' };
/** The seal has been put back to the head. */
const sealed = { seal: { name: 'old', behind: 0 } };

describe('a planned move', () => {
  const outcomes: MoveOutcome[] = [];
  beforeEach(() => void outcomes.splice(0));
  afterEach(() => void vi.useRealTimers());

  async function moving() {
    const attached = await world.attach({ topics: ['a'] }, moved);
    const deadlineAtMs = world.nowMs + 30_000;
    const onEnd = (outcome: MoveOutcome) => void outcomes.push(outcome);
    attached.session.move = { move: 'm', deadlineAtMs, cameBack: () => '', onEnd };
    return attached;
  }

  it('stops consuming, sends moved as the last frame, waits for the last ack, gives the rest back, and only then is released', async () => {
    const { connection, session } = await moving();
    world.deliver(3);
    let release: unknown;
    void session.release('move').then((how) => {
      release = how;
    });
    await settled();
    expect(world.calls.at(-1)).toBe('cancel');
    expect(connection.frames.at(-1)).toEqual({ t: 'moved', seq: 3, received: 0 });
    expect(world.topics.joined).toEqual([]);
    connection.receive({ t: 'ack', seq: 1 });
    connection.receive({ t: 'ping' });
    connection.receive({ t: 'publish', id: 'late', topic: 'a', data: 1 });
    await settled();
    expect(release).toBeUndefined();
    connection.receive({ t: 'ack', seq: 3 });
    await settled();
    expect(release).toMatchObject({ suspect: 0, isFull: false, ...sealed });
    expect(world.deliveries.settled).toEqual(['ack 1', 'ack 2', 'ack 3']);
    expect(world.inbound.carried).toEqual([]);
    expect(connection.frames.at(-1)).toMatchObject({ t: 'moved' });
    expect(outcomes).toEqual(['done']);
    expect(world.directory.size).toBe(0);
    // The client may take its time to close it.
    expect(connection.isOpen).toBe(true);
  });

  it('writes what still comes until the broker has confirmed the end, and says moved only after it', async () => {
    const { connection, session } = await moving();
    world.queue.cancelling = pending();
    void session.release('move');
    world.deliver(2);
    await settled();
    expect(connection.kinds).toEqual(['welcome', 'event', 'event']);
    world.queue.cancelling.resolve();
    await settled();
    expect(connection.of('moved')).toEqual([{ t: 'moved', seq: 2, received: 0 }]);
  });

  it('tells what was dropped for its connection before moved: the next edge does not know of it', async () => {
    const { connection, session } = await moving();
    connection.hasDropped = true;
    void session.release('move');
    await settled();
    expect(connection.frames.slice(1)).toEqual([
      { t: 'gap', topic: 'a', reason: 'slow-consumer' },
      { t: 'moved', seq: 0, received: 0 },
    ]);
  });

  it('names the mark at which its topics end, where the next edge passes it on', async () => {
    const { connection, session } = await moving();
    world.topics.mark = 'boot.7';
    void session.release('move', { ...anybody, to: 'edge-2' });
    await settled();
    expect(connection.frames.at(-1)).toEqual({ t: 'moved', seq: 0, received: 0, mark: 'boot.7' });
  });

  it('leaves to the next edge to tell what its client is too soon gone for', async () => {
    const { connection, session } = await moving();
    world.topics.inDoubt.add('a');
    connection.lose();
    expect(await session.release('move', { ...anybody, to: 'edge-2' })).toMatchObject({ doubt: ['a'] });
  });

  it('tells a client before moved of a publish that the broker does not confirm, and nothing when that comes late', async () => {
    const { connection, session } = await moving();
    const confirm = pending<'routed'>();
    world.inbound.outcome = confirm.promise;
    connection.receive({ t: 'publish', id: 'p', topic: 'a', data: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const release = session.release('move');
    await vi.advanceTimersByTimeAsync(1_000);
    await release;
    confirm.resolve('routed');
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.kinds).toEqual(['welcome', 'error', 'moved']);
  });

  it('gives back in order what is not acknowledged in time, behind a barrier, and says how much had been written', async () => {
    world = new SessionWorld({ settleTimeoutMs: 5 });
    const { connection, session } = await moving();
    world.deliver(3);
    connection.receive({ t: 'ack', seq: 1 });
    expect(await session.release('move')).toEqual({
      suspect: 2,
      ids: ['m2', 'm3'],
      position: { connection: 'b.1', seq: 2, count: 2 },
      isFull: false,
      ...sealed,
    });
    expect(world.deliveries.settled).toEqual(['ack 1', 'requeue 2', 'requeue 3']);
    expect(world.calls.slice(-2)).toEqual(['cancel', 'barrier']);
  });

  it('leaves the seal here for an edge that waits for it, and asks the broker for nothing more than to stop', async () => {
    const { session } = await moving();
    const left = await session.release('move', { ...anybody, mayLeaveSeal: true });
    expect(left).toMatchObject({ suspect: 0, seal: { name: 'old', behind: 0, at: 'edge-1' } });
    expect(world.calls.slice(-2)).toEqual(['cancel', 'leave seal']);
  });

  it('is not had yet by a connection that is lost before the old edge has let it go: the next one asks that edge as well', async () => {
    world.handover.asking = pending();
    const { connection } = await world.attach({ resume: true }, { from: 'edge-2', move: 'm' });
    connection.lose();
    world.handover.asking = undefined;
    world.handover.answers['edge-2'] = { outcome: 'released', seal: { name: 'old', behind: 0 } };
    const next = await world.attach({ resume: true }, { from: 'edge-2', epoch: 2 });
    expect(world.calls.filter((call) => call.startsWith('ask'))).toEqual(['ask edge-2', 'ask edge-2']);
    expect(next.connection.kinds).toEqual(['welcome']);
  });

  it('that is lost before it has got what was let go here leaves that to who comes next', async () => {
    const first = await moving();
    world.deliver(3);
    first.connection.receive({ t: 'ack', seq: 1 });
    world.queue.counts = { messages: 2, consumers: 1 };
    const searched = pending<{ outcome: 'unknown' }>();
    world.handover.searched = searched.promise;
    const second = await world.attach({ resume: true }, { epoch: 2 });
    first.connection.lose();
    second.connection.lose();
    searched.resolve({ outcome: 'unknown' });
    await settled();
    const { isFull: _, ...left } = await first.session.release('resume');
    expect(left).toMatchObject({ suspect: 2, ids: ['m2', 'm3'], ...sealed });
    expect(await second.session.release('resume')).toMatchObject(left);
    expect(world.leftBehind.of('alice.s')).toMatchObject({ position: left.position, ids: left.ids });
  });

  it('puts the seal back at once where its client has lost the old connection: the new one may have gone with it', async () => {
    const { connection, session } = await moving();
    const release = session.release('move', { ...anybody, mayLeaveSeal: true });
    connection.lose();
    expect(await release).toMatchObject({ seal: { name: 'old', at: 'edge-1' } });
    expect(world.calls.slice(-2)).toEqual(['leave seal', 'put back seal']);
  });

  it('says which edge plants the seal that has not come, once it is asked, and what was dropped since', async () => {
    world.queue.planting = new Promise(() => {});
    const { connection, session } = await world.attach({}, { isNew: true });
    connection.lose();
    await settled();
    expect(world.directory.get('alice.s')).toBe(session);
    const left = await session.release('resume', anybody);
    expect(left).toMatchObject({ suspect: 0, seal: { behind: 0, at: 'edge-1' } });
    const { seal } = left;
    expect(world.leftBehind.of('alice.s')).toMatchObject({ seal: { ...seal, isWatched: true } });
    world.nowMs += 60_000;
    expect(world.leftBehind.of('alice.s')?.seal).toEqual({ behind: 0 });
  });

  it('says of no seal that it is still to come where something was dropped without word of it, or before it was consumed', async () => {
    world.queue.planting = new Promise(() => {});
    const first = await world.attach({}, { isNew: true });
    world.drops.doubts += 1;
    expect(await first.session.release('resume', anybody)).toMatchObject({ owed: 'broker-lost' });
    const coming = { name: 's', behind: 0, at: 'edge-2' };
    world.handover.answers['edge-2'] = { outcome: 'released', suspect: 0, seal: coming };
    const making = pending<undefined>();
    world.queue.making = making.promise;
    const second = await world.attach({ resume: true }, { from: 'edge-2', epoch: 2 });
    second.session.intake.dropped('overflow');
    second.connection.lose();
    making.resolve(undefined);
    await settled();
    expect(await second.session.release('resume', anybody)).toMatchObject({ owed: 'overflow' });
    expect(world.leftBehind.of('alice.s')).toMatchObject({ owed: 'overflow' });
  });

  it('hears of what is dropped until it has given its queue back, also where its client is back here', async () => {
    world = new SessionWorld({ settleTimeoutMs: 5 });
    const first = await moving();
    world.deliver(4);
    world.queue.cancelling = pending();
    const second = await world.attach({ resume: true }, { epoch: 2 });
    world.directory.get('alice.s')?.intake.dropped('overflow');
    world.queue.cancelling.resolve();
    await settled();
    expect(await first.session.release('resume')).toMatchObject({ owed: 'overflow' });
    expect(second.connection.of('gap')).toEqual([{ t: 'gap', reason: 'overflow' }]);
  });

  it('leaves it too where the broker has still to confirm what the client acknowledged last', async () => {
    const { connection, session } = await moving();
    world.deliver(1);
    const release = session.release('move', { ...anybody, mayLeaveSeal: true });
    await settled();
    connection.receive({ t: 'ack', seq: 1 });
    expect(await release).toMatchObject({ seal: { name: 'old', at: 'edge-1' } });
    expect(world.deliveries.settled).toEqual(['ack 1']);
    expect(world.calls.slice(-3)).toEqual(['cancel', 'leave seal', 'barrier']);
  });

  it('says when the window was full, so that the next edge looks whether the queue has overflowed', async () => {
    world = new SessionWorld({ settleTimeoutMs: 5 });
    const { session } = await moving();
    world.deliver(4);
    expect(await session.release('move')).toMatchObject({ suspect: 4, isFull: true, ...sealed });
  });

  it('waits until topic messages on their way have been sent, and accepted publishes answered', async () => {
    const { connection, session } = await moving();
    const fence = pending<boolean>();
    const confirm = pending<'routed'>();
    world.topics.isFenced = fence.promise;
    world.inbound.outcome = confirm.promise;
    connection.receive({ t: 'publish', id: 'p', topic: 'a', data: 1 });
    void session.release('move');
    await settled();
    confirm.resolve('routed');
    await settled();
    expect(connection.of('moved')).toEqual([]);
    fence.resolve(true);
    await settled();
    expect(connection.kinds).toEqual(['welcome', 'ok', 'moved']);
    expect(connection.of('moved')).toMatchObject([{ received: 1 }]);
    expect(world.load.unfenced).toBe(0);
  });

  it('does not take what comes while it waits for topic messages: it would be answered on no socket', async () => {
    const { connection, session } = await moving();
    const fence = pending<boolean>();
    world.topics.isFenced = fence.promise;
    void session.release('move');
    await settled();
    connection.receive({ t: 'publish', id: 'p', topic: 'a', data: 1 });
    fence.resolve(true);
    await settled();
    expect(world.inbound.carried).toEqual([]);
    expect(connection.frames.slice(1)).toEqual([{ t: 'moved', seq: 0, received: 0 }]);
  });

  it('goes on when topic messages cannot be waited for: each topic is told a gap first, and it is counted and logged', async () => {
    const { connection, session } = await moving();
    world.topics.isFenced = false;
    await session.release('move');
    expect(connection.frames.slice(-2)).toMatchObject([{ t: 'gap', topic: 'a' }, { t: 'moved' }]);
    expect(world.load.unfenced).toBe(1);
    expect(world.warnings).toHaveLength(1);
  });

  it('ends as failed when the connection closes before, and once', async () => {
    const { connection, session } = await moving();
    connection.lose();
    await settled();
    world.nowMs += 60_000;
    session.sweep(world.nowMs);
    expect(outcomes).toEqual(['failed']);
    expect(session.state).toBe('gone');
  });

  it('ends as timed out at its deadline, and the session stays and may be moved again', async () => {
    const { session } = await moving();
    expect(session.isMovable).toBe(false);
    world.nowMs += 30_001;
    session.sweep(world.nowMs);
    expect(outcomes).toEqual(['timedOut']);
    expect(session.state).toBe('attached');
    expect(session.isMovable).toBe(true);
  });

  it('closes an old connection that its client keeps, after a while', async () => {
    const { connection, session } = await moving();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await session.release('move');
    expect(connection.isOpen).toBe(true);
    vi.advanceTimersByTime(5_000);
    expect(connection.closedWith?.reason).toBe('moved');
  });
});

describe('a session that is left', () => {
  it('has one release, whoever asks for it and how', async () => {
    const { session } = await world.attach({}, moved);
    world.deliver(1);
    const [one, two] = [session.release('resume'), session.release('move')];
    expect(one).toBe(two);
    await one;
    expect(world.deliveries.settled).toEqual(['requeue 1']);
  });

  it('gives back what is delivered to it afterwards', async () => {
    const { connection } = await world.attach();
    const { listener } = world.queue;
    connection.lose();
    await settled();
    listener?.onDelivery(world.deliveries.event(9));
    expect(world.deliveries.settled).toEqual(['requeue 9']);
  });

  it('says that its queue is to be looked at where its channel has gone: it may not be there, or not bound', async () => {
    const { session } = await world.attach();
    world.queue.counts = undefined;
    expect(await session.release('move')).toMatchObject({ suspect: undefined, isFull: true });
  });

  it('leaves the queue to the broker’s own order where it had lost its channel', async () => {
    const { connection, session } = await world.attach();
    world.deliver(2);
    world.queue.listener?.onLost();
    connection.lose();
    expect(await session.release('resume')).toEqual({
      suspect: undefined,
      isFull: false,
      seal: { ...sealed.seal, reason: 'broker-lost' },
    });
    expect(world.deliveries.settled).toEqual([]);
  });
});

describe('a bare client that was let go from here', () => {
  const attach = async (node: string) => {
    const { session } = world.open({ node }, true);
    await settled();
    return session;
  };

  it('and is back with a ticket for another edge is kept here by the front: it is not to be moved', async () => {
    world.lettingGo.add('alice');
    const session = await attach('edge-2');
    expect([session.state, session.pin.isHeld, session.isMovable]).toEqual(['attached', true, false]);
    session.pin.forget();
    expect(session.isMovable).toBe(true);
  });

  it('and is back because it was sent here may be moved', async () => {
    world.lettingGo.add('alice');
    expect((await attach('edge-1')).isMovable).toBe(true);
  });
});
