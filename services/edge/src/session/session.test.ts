import { beforeEach, describe, expect, it } from 'vitest';
import { codes, pending, SessionWorld, settled } from '../../testing/session-world.js';
import { ClientText } from '../frame/client-text.js';
import { AttachError } from './attach.js';

let world: SessionWorld;
beforeEach(() => {
  world = new SessionWorld();
});

describe('a session that attaches', () => {
  it('is welcomed once its queue is consumed, with what was found of it', async () => {
    const { connection, session } = await world.attach();
    const { heartbeatMs, window } = world.config;
    const limits = { framesPerSecond: 100, burst: 400, maxTopics: 512, maxFrameBytes: 65_536 };
    const more = { connection: 'b.1', limits, generation: 0 };
    const welcome = {
      t: 'welcome',
      session: 's',
      node: 'edge-1',
      resumed: true,
      heartbeatMs,
      window,
      ...more,
    };
    expect(connection.frames).toEqual([welcome]);
    expect(session.state).toBe('attached');
    expect(world.directory.get('alice.s')).toBe(session);
    expect(world.load.welcomed).toBe(1);
  });

  it('is written down with its connection and how it came, and so is what becomes of it', async () => {
    const { connection } = await world.attach({ resume: true });
    world.queue.counts = undefined;
    const moved = await world.attach(
      { resume: true, topics: ['a'] },
      { epoch: 2, from: 'edge-2', move: '4.p7.0.3' },
    );
    expect(moved.connection.isOpen).toBe(true);
    connection.lose(1006);
    moved.connection.lose(1006);
    expect(world.journal).toEqual([
      ['resumed', 's', { kind: 'resumed', connection: 'b.1' }],
      ['attached', 's', { kind: 'moved', connection: 'b.2', from: 'edge-2', plan: '4.p7' }],
      ['gap', 's', { reason: 'session-expired', topic: undefined }],
      ['detached', 's', { code: 1006 }],
    ]);
    const { resumed, moved: movedHere } = world.load.attached;
    const total = ({ counts }: { counts: readonly number[] }) => counts.reduce((sum, count) => sum + count);
    expect([total(resumed), total(movedHere)]).toEqual([1, 1]);
  });

  it('is welcomed before its first event, also where that comes before the broker has confirmed the consumer', async () => {
    world.queue.consuming = pending();
    world.queue.isSealed = false;
    const { connection } = await world.attach({ resume: true });
    expect(connection.kinds).toEqual([]);
    world.deliver(1);
    world.queue.consuming.resolve();
    await settled();
    world.deliver(1);
    expect(connection.kinds).toEqual(['welcome', 'gap', 'event', 'event']);
  });

  it('is told that its queue had gone, and applications that it was opened, where the edge before had no time to', async () => {
    world.handover.answers['edge-2'] = { outcome: 'released', owed: 'session-expired' };
    const { connection } = await world.attach({ resume: true }, { from: 'edge-2', move: '4.p7.0.3' });
    expect(connection.of('gap')).toEqual([{ t: 'gap', reason: 'session-expired' }]);
    expect(world.told).toEqual(['opened']);
  });

  it('is subscribed to all topics of its hello before anybody is asked to release anything', async () => {
    const bound = pending<void>();
    world.topics.bound = bound.promise;
    const { connection } = await world.attach({ topics: ['a', 'b'] }, { from: 'edge-2', move: 'm' });
    expect(world.calls).toEqual([]);
    expect(world.topics.joined).toEqual(['a', 'b']);
    world.handover.answers['edge-2'] = { outcome: 'released', suspect: 0 };
    bound.resolve();
    await settled();
    expect(world.calls).toEqual(['ask edge-2', 'consume']);
    expect([...connection.topics]).toEqual(['a', 'b']);
    expect(connection.kinds).toEqual(['welcome']);
  });

  it('is refused when a topic of its hello is not bound: without it messages would go missing in silence', async () => {
    world.topics.bound = Promise.reject(new Error('Not bound within 10000 ms'));
    world.topics.bound.catch(() => {});
    const { connection } = await world.attach({ resume: true, topics: ['a'] });
    expect(connection.sent).toEqual([]);
    expect(connection.closedWith?.code).toBe(4006);
    expect(world.topics.joined).toEqual([]);
    expect(world.calls).toEqual([]);
  });

  it('is passed the marks of a move’s old edge, and told what that could not tell', async () => {
    world.handover.answers['edge-2'] = { outcome: 'released', suspect: 0, doubt: ['a'] };
    const claims = { from: 'edge-2', move: 'm' };
    const { connection, session } = await world.attach({ resume: true, topics: ['a'] }, claims);
    session.passMark('x.1');
    expect(connection.frames).toMatchObject([
      { t: 'gap', topic: 'a', reason: 'connection-lost' },
      { t: 'welcome' },
      { t: 'mark', mark: 'x.1' },
    ]);
  });

  it('is told of every topic that it may have missed something of, and that its queue is gone', async () => {
    world.queue.counts = undefined;
    const { connection } = await world.attach({ resume: true, topics: ['a', 'b'] });
    expect(connection.kinds).toEqual(['gap', 'gap', 'welcome', 'gap']);
    expect(connection.of('gap')).toEqual([
      { t: 'gap', topic: 'a', reason: 'connection-lost' },
      { t: 'gap', topic: 'b', reason: 'connection-lost' },
      { t: 'gap', reason: 'session-expired' },
    ]);
    expect(Object.fromEntries(world.load.gaps)).toMatchObject({ 'connection-lost': 2, 'session-expired': 1 });
  });

  it('takes over from an older connection here: that one is closed and gives everything back first', async () => {
    const older = await world.attach();
    world.deliver(2);
    const newer = await world.attach({ resume: true }, { epoch: 2, from: 'edge-1' });
    expect(older.connection.closedWith?.code).toBe(codes.superseded);
    expect(world.deliveries.settled).toEqual(['requeue 1', 'requeue 2']);
    expect(world.calls).toEqual([
      'check',
      'make',
      'consume',
      'cancel',
      'barrier',
      'check',
      'make',
      'consume',
    ]);
    expect(newer.session.outbox.before.suspect).toBe(2);
    expect(world.directory.get('alice.s')).toBe(newer.session);
  });

  it.each([
    [
      'told by their places what was written to the connection that its client names',
      'b.1',
      [2, 3, undefined],
    ],
    ['told no places of another connection', 'b.7', [undefined, undefined, undefined]],
  ])('is %s', async (_what, connection, again) => {
    const older = await world.attach({}, { move: 'before' });
    world.deliver(3);
    older.connection.receive({ t: 'ack', seq: 1 });
    const hello = { resume: true, last: { connection, seq: 3 } };
    const newer = await world.attach(hello, { epoch: 2, from: 'edge-1' });
    for (const n of [2, 3])
      world.queue.listener?.onDelivery(world.deliveries.event(n, { redelivered: true }));
    world.deliver(1);
    await settled();
    expect(newer.connection.of('event').map((event) => event.again)).toEqual(again);
    expect(newer.connection.of('event').map(({ redelivered }) => redelivered)).toEqual([
      true,
      true,
      undefined,
    ]);
  });

  it('is refused when a newer connection of it is here', async () => {
    const newer = await world.attach({}, { epoch: 2 });
    const older = await world.attach({}, { epoch: 1 });
    expect(older.connection.closedWith?.code).toBe(codes.staleTicket);
    expect(newer.connection.isOpen).toBe(true);
    expect(world.directory.get('alice.s')).toBe(newer.session);
  });

  it.each([
    ['its ticket is older than what another edge holds', { outcome: 'refused' }, codes.staleTicket],
    ['its holder lives and does not answer', { outcome: 'silent' }, codes.takeoverFailed],
  ] as const)('is refused when %s, and leaves nothing here', async (_why, answer, code) => {
    world.handover.answers['edge-2'] = answer;
    const { connection, session } = await world.attach({ topics: ['a'] }, { from: 'edge-2' });
    expect(connection.closedWith?.code).toBe(code);
    expect(session.state).toBe('gone');
    expect(world.directory.size).toBe(0);
    expect(world.topics.joined).toEqual([]);
    expect([...world.directory.tracked()]).toEqual([]);
  });

  it('is refused when the broker is away', async () => {
    world.queue.failure = new Error('away');
    const { connection } = await world.attach();
    expect(connection.closedWith?.code).toBe(codes.brokerUnavailable);
    expect(world.warnings).toEqual(['session not attached']);
  });

  it('leaves nothing behind when its connection closes before', async () => {
    world.queue.consuming = pending();
    world.queue.isSealed = false;
    const { connection, session } = await world.attach({ resume: true, topics: ['a'] });
    connection.lose();
    world.deliver(1);
    world.queue.consuming.resolve();
    await settled();
    expect(world.calls.slice(3)).toEqual(['abandon', 'cancel', 'cancel', 'barrier']);
    expect(world.deliveries.settled).toEqual(['requeue 1']);
    expect(session.state).toBe('gone');
    expect(world.directory.size).toBe(0);
    expect(world.topics.joined).toEqual([]);
  });

  it('lets go at once of what it was about to take when another edge wants it, and is told that it is superseded', async () => {
    world.handover.asking = pending();
    const { connection, session } = await world.attach({}, { from: 'edge-2' });
    const release = session.release('move');
    // What it has not looked at it knows nothing of.
    expect(await release).toEqual({ suspect: undefined, isFull: false, isUnheld: true });
    expect(world.calls).toEqual(['ask edge-2', 'abandon']);
    expect(connection.of('moved')).toEqual([]);
    expect(connection.closedWith?.code).toBe(codes.superseded);
  });

  it('counts what it has taken since its hello, however late that was', async () => {
    const { connection } = world.open();
    world.nowMs += 3_000;
    connection.receive({ t: 'hello' });
    await settled();
    expect(connection.kinds).toEqual(['welcome']);
    expect(world.load.takeHandshakeP99()).toBe(0);
  });
});

describe('a bare connection', () => {
  it('is attached without a hello and gets bodies alone, acknowledged when written', async () => {
    const { connection, session } = world.open({ isNew: true }, true);
    await settled();
    world.deliver(2);
    expect(connection.sent).toEqual(['1', '2']);
    expect(world.deliveries.settled).toEqual(['ack 1', 'ack 2']);
    expect(session.state).toBe('attached');
  });
});

describe('what a client sends', () => {
  it.each([
    ['what is no frame', ['nonsense']],
    ['another frame before hello', ['{"t":"ping"}'], 'opened'],
    ['a second hello', ['{"t":"hello"}']],
    ['an ack of what was never sent', ['{"t":"ack","seq":1}']],
  ])('closes its connection: %s', async (_what, texts, state = 'attached') => {
    const { connection } = state === 'opened' ? world.open() : await world.attach();
    for (const text of texts) connection.owner?.onFrame(new ClientText(text));
    expect(connection.closedWith?.code).toBe(codes.badFrame);
  });

  it('is answered: a ping, a kind that is not known, a subscription', async () => {
    const { connection } = await world.attach();
    connection.receive({ t: 'ping' });
    connection.receive({ t: 'sing', id: 'x' });
    connection.receive({ t: 'subscribe', id: 'y', topic: 'a' });
    await settled();
    expect(connection.frames.slice(1)).toMatchObject([
      { t: 'pong' },
      { t: 'error', re: 'x', code: 'unknown-type' },
      { t: 'ok', re: 'y' },
    ]);
  });

  it('acknowledges to the broker', async () => {
    const { connection } = await world.attach({}, { move: 'before' });
    world.deliver(3);
    connection.receive({ t: 'ack', seq: 2 });
    expect(world.deliveries.settled).toEqual(['ack 1', 'ack 2']);
  });

  it('acknowledges, of a full window that no seal vouches for, only after a look whether the queue has overflowed', async () => {
    world.queue.isOfOlder = true;
    world.queue.isSealed = false;
    const { connection } = await world.attach({}, { move: 'before' });
    world.deliver(4);
    world.queue.counts = { messages: world.config.sessionMaxLength, consumers: 1 };
    connection.receive({ t: 'ack', seq: 4 });
    expect(world.deliveries.settled).toEqual([]);
    await settled();
    expect(world.deliveries.settled).toHaveLength(4);
    expect(connection.of('gap')).toEqual([{ t: 'gap', reason: 'overflow' }]);
  });
});

describe('a session after a loss of the broker', () => {
  it('is told when its queue had gone', async () => {
    const { connection } = await world.attach();
    world.lose();
    await world.queue.listener?.onFound(undefined);
    // The next attempt finds the queue that this one makes.
    await world.queue.listener?.onFound({ messages: 0, consumers: 0 });
    world.queue.listener?.onRestored();
    await expect.poll(() => connection.of('gap')).toEqual([{ t: 'gap', reason: 'session-expired' }]);
  });

  it('is told again when the queue that was made has gone as well, though nothing came from it', async () => {
    const { connection } = await world.attach();
    for (const times of [1, 2]) {
      world.lose();
      await world.queue.listener?.onFound(undefined);
      world.queue.listener?.onRestored();
      await expect.poll(() => connection.of('gap').length).toBe(times);
    }
  });

  it('asks for nothing when nobody else consumes its queue', async () => {
    await world.attach();
    await world.queue.listener?.onFound({ messages: 0, consumers: 0 });
    await settled();
    expect(world.calls).not.toContain('search');
  });

  it('does not consume behind another consumer, whoever that is, and is asked for until it is known', async () => {
    const { connection } = await world.attach();
    const { listener } = world.queue;
    await expect(listener?.onFound({ messages: 0, consumers: 1 })).rejects.toThrow('another consumer');
    expect(connection.isOpen).toBe(true);
    world.handover.searched = { outcome: 'released', seal: { name: 'old', behind: 0 } };
    await listener?.onFound({ messages: 0, consumers: 1 });
    expect(connection.isOpen).toBe(true);
    world.handover.searched = { outcome: 'refused' };
    await expect(listener?.onFound({ messages: 0, consumers: 1 })).rejects.toThrow();
    expect(connection.closedWith?.code).toBe(codes.superseded);
  });
});

describe('a connection that is too slow', () => {
  it('is told of every topic when messages for it were dropped, as soon as it reads again', async () => {
    const { connection } = await world.attach({ topics: ['a', 'b'] });
    connection.hasDropped = true;
    connection.owner?.onDrain();
    connection.owner?.onDrain();
    expect(connection.of('gap')).toEqual([
      { t: 'gap', topic: 'a', reason: 'slow-consumer' },
      { t: 'gap', topic: 'b', reason: 'slow-consumer' },
    ]);
  });

  it('gets what was kept back, in order, when it reads again', async () => {
    const { connection } = await world.attach({}, { move: 'before' });
    connection.bufferedBytes = world.config.highWatermarkBytes + 1;
    world.deliver(3);
    expect(connection.of('event')).toEqual([]);
    connection.bufferedBytes = 0;
    connection.owner?.onDrain();
    expect(connection.of('event').map(({ data }) => data)).toEqual([1, 2, 3]);
  });

  it.each([
    ['says no hello', 'helloTimeoutMs', 'hello-timeout'],
    ['acknowledges nothing', 'ackTimeoutMs', 'ack-timeout'],
    ['reads nothing', 'slowConsumerMs', 'slow-consumer'],
  ] as const)('is closed when it %s for too long, and not before', async (what, setting, reason) => {
    const { connection, session } = what === 'says no hello' ? world.open() : await world.attach();
    if (what === 'acknowledges nothing') world.deliver(1);
    await settled();
    if (what === 'reads nothing') connection.slowSinceMs = world.nowMs;
    session.sweep(world.nowMs + world.config[setting]);
    expect(connection.isOpen).toBe(true);
    session.sweep(world.nowMs + world.config[setting] + 1);
    expect(connection.closedWith?.reason).toBe(reason);
  });

  /** Sweeps after each of `times` steps of `stepMs`, at which the client says `frame(n)`. */
  async function slowly(stepMs: number, times: number, frame: (n: number) => string) {
    const { connection, session } = await world.attach();
    world.deliver(60);
    await settled();
    const beganAtMs = world.nowMs;
    for (let n = 1; n <= times && connection.isOpen; n += 1) {
      world.nowMs += stepMs;
      session.sweep(world.nowMs);
      if (connection.isOpen) connection.owner?.onFrame(new ClientText(frame(n)));
    }
    return { connection, tookMs: world.nowMs - beganAtMs };
  }

  it('keeps its connection while it acknowledges one event after another, however long they take in all', async () => {
    const { connection } = await slowly(20_000, 59, (n) => `{"t":"ack","seq":${n}}`);
    expect(connection.isOpen).toBe(true);
  });

  it('is closed when what it acknowledges does not get on', async () => {
    const { connection, tookMs } = await slowly(20_000, 59, () => '{"t":"ack","seq":1}');
    expect(connection.closedWith?.reason).toBe('ack-timeout');
    expect(tookMs).toBe(100_000);
  });

  it('keeps its connection while it says that it is busy, until an event is twenty minutes old', async () => {
    const { connection, tookMs } = await slowly(15_000, 1_000, () => '{"t":"ack","seq":0,"busy":true}');
    expect(connection.closedWith?.reason).toBe('ack-timeout');
    expect(tookMs).toBe(1_215_000);
  });
});

it('has an error of its own for what cannot be had', () => {
  expect(new AttachError('stale-ticket')).toMatchObject({ name: 'AttachError', code: 'stale-ticket' });
});
