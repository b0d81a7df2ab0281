import { describe, expect, it } from 'vitest';
import { outboxWorld as make } from '../../testing/outbox-world.js';

const over = 1_000;
const ofKey = (key: unknown) => ({ properties: { headers: { 'evenkeel-collapse': key } } });

describe('of what is kept back with one collapse key', () => {
  it('only the newest is sent, in its own place; the others are acknowledged', () => {
    const { queue, connection, outbox, offer } = make();
    connection.bufferedBytes = over;
    offer(1, 1, ofKey('a'));
    offer(2, 2, ofKey('b'));
    offer(3, 3);
    offer(4, 4, ofKey('a'));
    expect([queue.settled, outbox.unacked, outbox.lastSeq]).toEqual([['ack 1'], 3, 3]);
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.frames.map(({ seq, data }) => [seq, data])).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    expect(outbox.offered).toBe(4);
  });

  it('what is written stays, and so does what may have been written to an earlier connection', () => {
    const { queue, connection, outbox, offer } = make();
    outbox.before.suspect = 1;
    offer(1, 1, ofKey('a'));
    outbox.before.suspect = 1;
    connection.bufferedBytes = over;
    offer(2, 2, { ...ofKey('a'), redelivered: true });
    offer(3, 4, ofKey('a'));
    expect(queue.settled).toEqual(['ack 3']);
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.frames.map(({ data, redelivered }) => [data, redelivered])).toEqual([
      [1, undefined],
      [2, true],
      [4, undefined],
    ]);
  });

  it.each([[7], [''], [undefined]])('%j is no key', (key) => {
    const { queue, connection, offer } = make();
    connection.bufferedBytes = over;
    offer(1, 3, ofKey(key));
    expect(queue.settled).toEqual([]);
  });

  it('those go whose bodies the broker has as well', () => {
    const { queue, connection, outbox, offer } = make({ keptBytes: 1 });
    connection.bufferedBytes = over;
    offer(1, 4, ofKey('a'));
    expect([queue.settled, outbox.bytes]).toEqual([['ack 1', 'ack 2', 'ack 3'], over + 1]);
    expect(outbox.requeueAll().requeued).toBe(1);
  });
});

describe('the time to live of what is kept back', () => {
  function timed() {
    const taken: unknown[] = [];
    let nowMs = 1;
    const world = make({
      now: () => nowMs,
      onExpired: () => world.outbox.insert('{"reason":"expired"}'),
      unsent: {
        take: (delivery, _, why) => {
          taken.push([delivery.properties.messageId, why]);
          delivery.ack();
        },
      },
    });
    const at = (ms: number) => {
      nowMs = ms;
    };
    return { ...world, taken, at };
  }
  const ttl = { properties: { expiration: '100' } };

  it('is over once its turn comes: it is not sent, a gap is in its place', () => {
    const { connection, outbox, offer, taken, at } = timed();
    connection.bufferedBytes = over;
    offer(1, 1);
    offer(2, 2, ttl);
    offer(3, 3);
    at(101);
    outbox.sweep();
    connection.bufferedBytes = 0;
    outbox.flush();
    expect(connection.frames.map(({ data, reason }) => data ?? reason)).toEqual([1, 'expired', 3]);
    expect(taken).toEqual([['m2', 'expired']]);
    expect(outbox.unacked).toBe(2);
  });

  it('is looked at while the socket takes nothing', () => {
    const { connection, outbox, offer, taken, at } = timed();
    connection.bufferedBytes = over;
    offer(1, 2, ttl);
    at(100);
    outbox.sweep();
    expect(taken).toEqual([]);
    at(101);
    outbox.sweep();
    expect([taken.length, outbox.unacked]).toEqual([2, 0]);
  });

  it('does not count for what is written, nor for what comes once more', () => {
    const { connection, outbox, offer, taken, at } = timed();
    offer(1, 1, ttl);
    connection.bufferedBytes = over;
    offer(2, 2, { ...ttl, body: Buffer.alloc(0), forgetContent: () => {} });
    outbox.forget();
    at(500);
    outbox.sweep();
    expect(taken).toEqual([]);
  });
});
