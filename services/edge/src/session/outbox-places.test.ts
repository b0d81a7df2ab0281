import { describe, expect, it } from 'vitest';
import type { FakeConnection } from '../../testing/fake-connection.js';
import { outboxWorld as make } from '../../testing/outbox-world.js';

describe('a frame among events', () => {
  it('is sent between those that came before it and those that come after', () => {
    const { connection, outbox, offer } = make();
    outbox.insert('{"t":"gap","reason":"a"}');
    connection.bufferedBytes = 101;
    offer(1, 1);
    outbox.insert('{"t":"gap","reason":"b"}');
    offer(2, 2);
    expect(connection.kinds).toEqual(['gap']);
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.kinds).toEqual(['gap', 'event', 'gap', 'event']);
    expect(outbox.unacked).toBe(2);
  });

  it('is owed where the session leaves before it was sent', () => {
    const { connection, outbox, offer } = make();
    connection.bufferedBytes = 101;
    offer(1, 1);
    outbox.insert('{"t":"gap","reason":"a"}');
    expect(outbox.requeueAll()).toMatchObject({ requeued: 1, suspect: 0, isGapOwed: true });
    expect(outbox.requeueAll()).toMatchObject({ requeued: 0, isGapOwed: false });
  });

  it('does not have a window exceeded: what the broker sends beyond it waits for an acknowledgement', () => {
    const { connection, outbox, offer } = make();
    offer(1, 5);
    expect(connection.data).toEqual([1, 2, 3, 4]);
    expect(outbox.isFull).toBe(true);
    outbox.ack(1);
    expect(connection.data).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('suspicion', () => {
  const flags = (connection: FakeConnection) => connection.frames.map((frame) => frame.redelivered === true);

  it('marks as many of the first as an earlier socket may have seen, where the broker marks them too', () => {
    const { connection, outbox, offer } = make();
    outbox.before.suspect = 2;
    offer(1, 4, { redelivered: true });
    expect(flags(connection)).toEqual([true, true, false, false]);
  });

  it('marks none that the broker delivers for the first time', () => {
    const { connection, outbox, offer } = make();
    outbox.before.suspect = 3;
    offer(1, 2);
    expect(flags(connection)).toEqual([false, false]);
  });

  it('goes by the broker’s mark when nobody said, and after a loss of its channel', () => {
    const { connection, outbox, offer } = make();
    outbox.before.suspect = undefined;
    offer(1, 1, { redelivered: true });
    offer(2, 2);
    outbox.before.suspect = 0;
    outbox.forget();
    offer(3, 3, { redelivered: true });
    expect(flags(connection)).toEqual([true, false, true]);
  });

  it('marks what was written before, where the broker marks nothing: to an earlier socket, or before its channel was lost', () => {
    const earlier = make();
    earlier.outbox.before.suspect = undefined;
    earlier.offer(1, 4);
    earlier.outbox.forget();
    earlier.offer(2, 3);
    expect(flags(earlier.connection)).toEqual([false, false, false, false, true, true]);
    const { suspect, ids } = earlier.outbox.requeueAll();
    expect({ suspect, ids }).toEqual({ suspect: undefined, ids: ['m2', 'm3', 'm4'] });
    const { connection, outbox, offer } = make();
    outbox.before.begin({ suspect, ids }, undefined);
    // The first was dropped; what comes behind them all is new, and nothing behind that is one of them.
    offer(3, 5);
    offer(2, 2);
    expect(flags(connection)).toEqual([true, true, false, false]);
  });

  it('remembers no more than 256 of them, the first', () => {
    const { outbox } = make({ window: 1_000 });
    outbox.before.expect(Array.from({ length: 300 }, (_, n) => `m${n}`));
    expect(outbox.before.ids).toHaveLength(256);
    outbox.before.expect(['first']);
    expect([outbox.before.ids.length, outbox.before.ids[0]]).toEqual([256, 'first']);
  });
});
