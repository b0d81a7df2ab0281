import { describe, expect, it } from 'vitest';
import { answersWorld } from '../../testing/answers.js';
import { outboxWorld } from '../../testing/outbox-world.js';

/** An outbox, and a service that answers through it. */
function make(limit = 2) {
  const { answers, told, load } = answersWorld({ limit });
  const replied: string[] = [];
  const world = outboxWorld({ answers, window: 100, onReplied: (id) => void replied.push(id) });
  const say = (id: string, body: unknown, headers: Record<string, unknown> = {}) =>
    world.outbox.offer(
      world.queue.event(0, {
        exchange: 'mesh.replies',
        body: Buffer.from(JSON.stringify(body)),
        properties: { correlationId: id, headers },
      }),
    );
  const part = (id: string, n: number, headers: object = {}) =>
    say(id, `${id}${n}`, { 'evenkeel-part': n, ...headers });
  return { ...world, answers, told, load, replied, say, part };
}

describe('an answer in parts', () => {
  it('is counted and held until it is acknowledged, among the events, and so is its end', () => {
    const { offer, part, say, connection, outbox, queue, replied } = make();
    part('a', 0);
    offer(1, 1);
    part('a', 1);
    say('a', 'end');
    expect(connection.frames).toMatchObject([
      { t: 'part', seq: 1, re: 'a', n: 0, data: 'a0' },
      { t: 'event', seq: 2 },
      { t: 'part', seq: 3, re: 'a', n: 1, data: 'a1' },
      { t: 'ok', seq: 4, re: 'a', data: 'end' },
    ]);
    expect([queue.settled, outbox.unacked, replied]).toEqual([[], 4, ['a']]);
    outbox.ack(4);
    expect(outbox.unacked).toBe(0);
  });

  it('ends as one without parts does where none came before and its service counts none', () => {
    const { say, connection, outbox } = make();
    say('a', 1);
    say('b', 'no', { 'evenkeel-error': 'sold-out' });
    expect(connection.frames.map(({ seq }) => seq)).toEqual([undefined, undefined]);
    expect(outbox.unacked).toBe(0);
  });

  it('that began elsewhere goes on here, and its end is acknowledged', () => {
    const { part, say, answers, connection } = make();
    answers.adopt(['a']);
    say('a', 'end');
    part('b', 7);
    say('c', 'end', { 'evenkeel-parts': 3 });
    expect(connection.frames).toMatchObject([
      { t: 'ok', re: 'a', seq: 1 },
      { t: 'part', re: 'b', n: 7, seq: 2 },
      { t: 'ok', re: 'c', seq: 3, parts: 3 },
    ]);
  });

  it('ends with an error where a part is too long, at its place, and its service is told', () => {
    const { part, say, connection, told, load } = make();
    part('a', 0);
    say('a', 'x'.repeat(1_000), { 'evenkeel-part': 1 });
    part('a', 2);
    say('a', 'end');
    expect(connection.frames).toMatchObject([
      { t: 'part', seq: 1 },
      { t: 'error', seq: 2, re: 'a', code: 'too-large' },
    ]);
    expect(told).toEqual(['cancel alice s a']);
    expect(Object.fromEntries(load.ends)).toMatchObject({ 'too-large': 1, done: 0 });
  });

  it('ends with an error where too many are open, until one of them has ended', () => {
    const { part, say, connection, told } = make(1);
    part('a', 0);
    part('b', 0);
    part('b', 1);
    say('a', 'end');
    part('c', 0);
    expect(connection.frames).toMatchObject([
      { t: 'part', re: 'a' },
      { t: 'error', re: 'b', code: 'stream-limit', seq: 2 },
      { t: 'ok', re: 'a' },
      { t: 'part', re: 'c' },
    ]);
    expect(told).toEqual(['cancel alice s b']);
  });

  it('says to its service how far its client has got, if that wants to know', () => {
    const { part, outbox, told } = make();
    part('a', 0);
    part('a', 1, { 'evenkeel-part-ack': 'shop-7' });
    part('a', 2, { 'evenkeel-part-ack': 'no.word' });
    outbox.ack(1);
    expect(told).toEqual([]);
    outbox.ack(3);
    expect(told).toEqual(['taken a 1 shop-7']);
  });

  it('that nobody waits for any more goes no further, and its service is told', () => {
    const { part, answers, connection, told } = make();
    part('a', 0);
    answers.giveUp('a', 'timed-out');
    answers.giveUp('never', 'timed-out');
    part('a', 1);
    expect(connection.frames).toHaveLength(1);
    expect(told).toEqual(['cancel alice s a']);
  });

  it('is marked as what may be a repeat, as events are', () => {
    const { outbox, part, connection } = make();
    outbox.before.suspect = 1;
    outbox.before.again = { seq: 5, count: 1 };
    outbox.offer(
      make().queue.event(0, {
        redelivered: true,
        exchange: 'mesh.replies',
        body: Buffer.from('"x"'),
        properties: { correlationId: 'a', headers: { 'evenkeel-part': 4 } },
      }),
    );
    part('a', 5);
    expect(connection.frames).toMatchObject([
      { n: 4, redelivered: true, again: 5 },
      { n: 5, seq: 2 },
    ]);
    expect(connection.frames[1]).not.toHaveProperty('redelivered');
  });
});

it('an event whose publisher wants to know has a receipt once it is acknowledged; no other has, nor one whose word is none', () => {
  const { outbox, queue, told } = make();
  const event = (n: number, word?: unknown) => {
    const headers = word === undefined ? {} : { 'evenkeel-receipt': word };
    outbox.offer(queue.event(n, { properties: { messageId: `m${n}`, headers } }));
  };
  event(1, 'shop-7');
  event(2);
  event(3, 'user.bob.#');
  event(4, 'shop-7');
  expect(told).toEqual([]);
  outbox.ack(3);
  expect(told).toEqual(['received alice s m1 shop-7']);
  outbox.ack(4);
  expect(told).toEqual(['received alice s m1 shop-7', 'received alice s m4 shop-7']);
});
