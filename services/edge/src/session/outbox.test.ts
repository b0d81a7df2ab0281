import { describe, expect, it } from 'vitest';
import type { FakeConnection } from '../../testing/fake-connection.js';
import { outboxWorld as make } from '../../testing/outbox-world.js';
import type { Outbox } from './outbox.js';

describe('writing', () => {
  it('says which `seq` goes before a frame that is inserted, also behind what is kept back', () => {
    const { connection, outbox, offer } = make();
    offer(1, 1);
    connection.bufferedBytes = 1_000;
    offer(2, 3);
    outbox.insert('{"t":"gap"}');
    expect([outbox.seq, outbox.lastSeq]).toEqual([1, 3]);
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.frames.map(({ seq }) => seq)).toEqual([1, 2, 3, undefined]);
  });

  it('numbers events from 1, with identity, name and time', () => {
    const { connection, offer } = make();
    offer(1, 2);
    expect(connection.frames[1]).toEqual({
      t: 'event',
      seq: 2,
      id: 'm2',
      name: 'order.created',
      at: 1_700_000_000_000,
      data: 2,
    });
  });

  it('drops an event that is longer than frames may be, has it told in its place, and goes on', () => {
    const told: number[] = [];
    const { queue, connection, outbox, offer } = make({
      onTooLarge: () => {
        told.push(connection.data.length);
      },
    });
    offer(1, 1);
    offer(2, 2, { body: Buffer.from(JSON.stringify('x'.repeat(950))) });
    offer(3, 3);
    expect(connection.frames.map(({ seq, data }) => [seq, data])).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(told).toEqual([1]);
    expect(queue.settled).toEqual(['drop 2']);
    expect(outbox.unacked).toBe(2);
  });

  it('keeps no body of what is longer than frames may be, and its place', () => {
    const { queue, connection, outbox, offer } = make({
      onTooLarge: () => outbox.insert('{"reason":"too-large"}'),
    });
    connection.bufferedBytes = 1_000;
    let forgotten = 0;
    const forgetContent = () => {
      forgotten += 1;
    };
    offer(1, 1);
    offer(2, 2, { body: Buffer.alloc(1_001, 'x'), forgetContent });
    offer(3, 3);
    expect([forgotten, queue.settled]).toEqual([1, []]);
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.frames.map(({ data, reason }) => data ?? reason)).toEqual([1, 'too-large', 3]);
    expect(queue.settled).toEqual(['drop 2']);
  });

  it('gives up the event for which the client has closed its last connection', () => {
    const body = Buffer.from(JSON.stringify('x'.repeat(5_000)));
    const first = make({ maxEventBytes: 10_000 });
    first.offer(1, 1, { body: Buffer.from(JSON.stringify('x'.repeat(4_100))) });
    first.offer(2, 2, { body });
    first.offer(3, 3);
    first.outbox.connectionClosed(1009);
    first.outbox.ack(2);
    first.outbox.connectionClosed(1009);
    expect(first.closed).toEqual([
      [1009, 'm2'],
      [1009, undefined],
    ]);
    const { queue, connection, offer } = make({ maxEventBytes: 10_000, given: 'm2' });
    offer(1, 3, { body });
    expect(connection.frames.map(({ id }) => id)).toEqual(['m1', 'm3']);
    expect(queue.settled).toEqual(['drop 2']);
  });

  it('has what it keeps beyond its bytes come once more, uncounted meanwhile, and not as a repeat', () => {
    let asked = 0;
    const { queue, connection, outbox, offer } = make({
      keptBytes: 2,
      onAway: () => {
        asked += 1;
      },
    });
    connection.bufferedBytes = 1_000;
    offer(1, 4);
    outbox.insert('{"t":"gap"}');
    expect(outbox.unacked).toBe(4);
    connection.bufferedBytes = 0;
    outbox.flush();
    outbox.flush();
    expect([connection.data, asked]).toEqual([[1, 2], 2]);
    for (const delivery of outbox.takeAway()) delivery.requeue();
    expect([queue.settled, outbox.unacked, outbox.offered]).toEqual([['requeue 3', 'requeue 4'], 2, 2]);
    offer(3, 4, { redelivered: true });
    expect(connection.frames.map(({ t, data }) => data ?? t)).toEqual([1, 2, 3, 4, 'gap']);
    expect(connection.frames.some(({ redelivered }) => redelivered)).toBe(false);
  });

  it('names an event by the key of CC that is its user’s', () => {
    const { connection, offer } = make();
    offer(1, 1, { key: 'topic.x', properties: { headers: { CC: ['user.alice.cc'] } } });
    expect(connection.frames[0]).toMatchObject({ t: 'event', name: 'cc' });
  });

  it('writes what comes straight to the queue as an event, unless it answers something', () => {
    const { connection, offer, queue, outbox } = make();
    offer(1, 1, { exchange: '', key: 'session.alice.s' });
    outbox.offer(queue.reply(2, 'r'));
    expect(connection.frames).toMatchObject([
      { t: 'event', name: 'session.alice.s' },
      { t: 'ok', re: 'r' },
    ]);
  });

  it('keeps back what comes while the socket is over its high watermark, and writes it in order when it is not', () => {
    const { connection, outbox, offer } = make({ window: 8 });
    connection.grows = 60;
    offer(1, 5);
    expect(connection.data).toEqual([1, 2]);
    expect(outbox.unacked).toBe(5);
    connection.bufferedBytes = 50;
    outbox.flush();
    expect(connection.data).toEqual([1, 2, 3]);
    connection.bufferedBytes = 0;
    offer(6, 6);
    // Room for it, and yet not its turn.
    expect(connection.data).toEqual([1, 2, 3]);
    connection.grows = 0;
    outbox.flush();
    expect(connection.data).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('writes nothing to a socket that has gone, and holds on to it', () => {
    const { queue, connection, outbox, offer } = make();
    connection.bufferedBytes = 101;
    offer(1, 2);
    connection.isOpen = false;
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.sent).toEqual([]);
    expect(outbox.unacked).toBe(2);
    expect(queue.settled).toEqual([]);
  });

  it('turns a service’s reply into an answer, acknowledged when written and not numbered', () => {
    const { queue, connection, outbox } = make();
    outbox.offer(queue.event(1, { exchange: '', properties: { correlationId: 'r1' } }));
    const failed = { correlationId: 'r2', headers: { 'evenkeel-error': 'sold-out' } };
    outbox.offer(queue.event(2, { exchange: '', properties: failed }));
    expect(connection.frames).toEqual([
      { t: 'ok', re: 'r1', data: 1 },
      { t: 'error', re: 'r2', code: 'sold-out', message: '2', from: 'service' },
    ]);
    expect(queue.settled).toEqual(['ack 1', 'ack 2']);
    expect(outbox.seq).toBe(0);
  });

  it('says which request has had its reply, so that it is not timed out as well', () => {
    const replied: string[] = [];
    const { outbox, queue } = make({ onReplied: (id) => replied.push(id) });
    outbox.offer(queue.event(1, { exchange: '', properties: { correlationId: 'r1' } }));
    expect(replied).toEqual(['r1']);
  });

  it('gives a reply back when the socket has gone', () => {
    const { queue, connection, outbox } = make();
    connection.isOpen = false;
    outbox.offer(queue.event(1, { exchange: '', properties: { correlationId: 'r1' } }));
    expect(queue.settled).toEqual(['requeue 1']);
  });

  it('writes bodies alone to a bare client, and gives back what it cannot write', () => {
    const { queue, connection, outbox } = make({ ackMode: 'write' });
    connection.isBare = true;
    outbox.offer(queue.event(1));
    outbox.offer(queue.event(2, { body: Buffer.from([0xff]) }));
    connection.isOpen = false;
    outbox.offer(queue.event(3));
    expect(connection.sent).toEqual(['1']);
    expect(connection.bytes).toEqual([Buffer.from([0xff])]);
    expect(queue.settled).toEqual(['ack 1', 'ack 2', 'requeue 3']);
  });
});

describe('acknowledging', () => {
  it('settles everything up to a seq, oldest first, once', () => {
    const { queue, outbox, offer } = make();
    offer(1, 4);
    expect(outbox.isFull).toBe(true);
    expect(outbox.ack(2)).toBe(true);
    expect(outbox.ack(1)).toBe(true);
    expect(outbox.ack(2)).toBe(true);
    expect(queue.settled).toEqual(['ack 1', 'ack 2']);
    expect(outbox.unacked).toBe(2);
    expect(outbox.isFull).toBe(false);
  });

  it('refuses a seq that was never sent, and settles nothing', () => {
    const { queue, connection, outbox, offer } = make();
    offer(1, 2);
    connection.bufferedBytes = 101;
    offer(3, 3);
    expect(outbox.ack(3)).toBe(false);
    expect(queue.settled).toEqual([]);
  });

  it('counts through many windows', () => {
    const { queue, outbox, offer } = make({ window: 64 });
    for (let n = 1; n <= 1_000; n += 1) {
      offer(n, n);
      if (n % 3 === 0) outbox.ack(n - 1);
    }
    outbox.ack(1_000);
    expect(queue.settled).toEqual(Array.from({ length: 1_000 }, (_, i) => `ack ${i + 1}`));
    expect(outbox.unacked).toBe(0);
    expect(outbox.oldestAtMs).toBeUndefined();
  });

  it('is done by the writing itself in mode write, but for what could not be written', () => {
    const { queue, connection, outbox, offer } = make({ ackMode: 'write' });
    offer(1, 2);
    connection.isOpen = false;
    offer(3, 3);
    expect(queue.settled).toEqual(['ack 1', 'ack 2']);
    expect(outbox.requeueAll()).toMatchObject({ requeued: 1, written: { seq: 3, count: 1 } });
  });

  it('knows how long the oldest has been waiting', () => {
    let now = 10;
    const { outbox, offer } = make({ now: () => now });
    offer(1, 1);
    now = 20;
    offer(2, 2);
    expect(outbox.oldestAtMs).toBe(10);
    outbox.ack(1);
    expect(outbox.oldestAtMs).toBe(20);
  });
});

describe('giving back', () => {
  it('requeues in order: first what was written, then what was kept back, and counts both', () => {
    const { queue, connection, outbox, offer } = make();
    offer(1, 3);
    outbox.ack(1);
    connection.bufferedBytes = 101;
    offer(4, 5);
    expect(outbox.requeueAll()).toMatchObject({ requeued: 4, suspect: 2, written: { seq: 2, count: 2 } });
    expect(queue.settled).toEqual(['ack 1', 'requeue 2', 'requeue 3', 'requeue 4', 'requeue 5']);
    expect(outbox.unacked).toBe(0);
    expect(outbox.requeueAll()).toMatchObject({ requeued: 0, suspect: 0 });
  });

  it('forgets what the broker will deliver again; a late ack settles nothing and is no violation', () => {
    const { queue, outbox, offer } = make();
    offer(1, 3);
    outbox.forget();
    expect(outbox.unacked).toBe(0);
    expect(outbox.ack(3)).toBe(true);
    expect(queue.settled).toEqual([]);
    offer(4, 4);
    expect(outbox.seq).toBe(4);
  });

  it('does not claim to know what had been written once the broker took deliveries back', () => {
    const { outbox, offer } = make();
    offer(1, 3);
    outbox.forget();
    expect(outbox.requeueAll()).toMatchObject({ requeued: 0, written: undefined });
  });
});

describe('waiting', () => {
  it('is settled when the last is acknowledged, and not before', async () => {
    const { outbox, offer } = make();
    offer(1, 2);
    let isSettled = false;
    const settled = outbox.acknowledged(60_000).then(() => {
      isSettled = true;
    });
    outbox.ack(1);
    await Promise.resolve();
    expect(isSettled).toBe(false);
    outbox.ack(2);
    await settled;
  });

  it.each([
    ['nothing is held', () => {}],
    ['the socket has closed', (c: FakeConnection, o: Outbox) => void closeConnection(c, o)],
  ])('does not wait when %s', async (_when, before) => {
    const { connection, outbox, offer } = make();
    if (_when !== 'nothing is held') offer(1, 1);
    before(connection, outbox);
    await outbox.acknowledged(60_000);
    await outbox.flushed(60_000);
  });

  it('ends its waits when the socket closes, when the channel is lost, and when time is up', async () => {
    for (const end of [
      (connection: FakeConnection, outbox: Outbox) => closeConnection(connection, outbox),
      (_connection: FakeConnection, outbox: Outbox) => outbox.forget(),
    ]) {
      const { connection, outbox, offer } = make();
      offer(1, 1);
      const settled = outbox.acknowledged(60_000);
      end(connection, outbox);
      await settled;
    }
    const { outbox, offer } = make();
    offer(1, 1);
    await outbox.acknowledged(5);
    expect(outbox.unacked).toBe(1);
  });

  it('is flushed when nothing is kept back, acknowledged or not', async () => {
    const { connection, outbox, offer } = make();
    connection.bufferedBytes = 101;
    offer(1, 2);
    const flushed = outbox.flushed(60_000);
    connection.bufferedBytes = 0;
    outbox.flush();
    await flushed;
    expect(outbox.unacked).toBe(2);
  });
});

function closeConnection(connection: FakeConnection, outbox: Outbox): void {
  connection.isOpen = false;
  outbox.connectionClosed(undefined);
}
