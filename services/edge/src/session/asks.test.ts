import type { Delivery, PublishOutcome } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { answersWorld } from '../../testing/answers.js';
import { outboxWorld } from '../../testing/outbox-world.js';
import { Asking } from '../asking/asking.js';
import { Asks } from './asks.js';

const id = `asker.${'x'.repeat(22)}`;

/** An outbox of alice's, and what is published for her. */
function make({ isBare = false, outcome = 'routed' as PublishOutcome, maxBytes = 1_000 } = {}) {
  let nowMs = 1_000;
  const published: { key: string; body: string; headers: unknown }[] = [];
  const asking = new Asking({
    publisher: {
      publish: async (exchange, key, body, { headers, correlationId }) => {
        published.push({ key: `${exchange} ${key} ${correlationId}`, body: String(body), headers });
        return outcome;
      },
    },
    user: 'edge',
    commanders: new Set(['balancer']),
    wallNow: () => nowMs,
  });
  const claims = { uid: 'alice', sid: 's' };
  const asks = new Asks({ claims, maxBytes, ackWithinMs: 500, isBare, asking, now: () => nowMs });
  const { answers } = answersWorld({ asks });
  const world = outboxWorld({ answers, window: 100 });
  const ask = (over: { userId?: string; key?: string; headers?: object; body?: string } = {}) =>
    world.outbox.offer(
      world.queue.event(0, {
        key: over.key ?? 'user.alice.$ask',
        exchange: 'mesh.events',
        body: Buffer.from(over.body ?? '7'),
        properties: {
          userId: over.userId ?? 'balancer',
          contentType: 'application/json',
          headers: { 'evenkeel-ask': id, 'evenkeel-method': 'q', ...over.headers },
        },
      } as Partial<Delivery>),
    );
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { ...world, asks, asking, published, ask, pass };
}

const data = (text: string) => ({ data: { text, depth: 0 } });

describe('a question to a client', () => {
  it('is written among its events and held until it is acknowledged', () => {
    const { ask, offer, connection, outbox } = make();
    offer(1, 1);
    ask();
    offer(2, 2);
    expect(connection.frames).toMatchObject([
      { t: 'event', seq: 1 },
      { t: 'ask', seq: 2, id, method: 'q', data: 7 },
      { t: 'event', seq: 3 },
    ]);
    outbox.ack(2);
    expect(outbox.unacked).toBe(1);
  });

  it.each([
    ['somebody else asks', { userId: 'app-shop' }],
    ['it has no id', { headers: { 'evenkeel-ask': 'x' } }],
    ['it has no method', { headers: { 'evenkeel-method': 7 } }],
    ['its time is long over', { headers: { 'evenkeel-until': -9_001 } }],
  ])('is dropped where %s, and keeps no place', (_, over) => {
    const { ask, offer, connection, outbox } = make();
    ask(over);
    offer(1, 1);
    expect(connection.frames).toMatchObject([{ t: 'event', seq: 1 }]);
    expect(outbox.unacked).toBe(1);
  });

  it('goes to no client that has no frames, and of one that takes less whoever asks is told', () => {
    const bare = make({ isBare: true });
    bare.ask();
    expect([bare.connection.frames, bare.outbox.unacked]).toEqual([[], 0]);
    const { ask, connection, published } = make({ maxBytes: 100 });
    ask({ body: `"${'x'.repeat(100)}"` });
    expect(connection.frames).toEqual([]);
    expect(published).toMatchObject([{ headers: { 'evenkeel-error': 'too-large' } }]);
  });

  it('that is the first unacknowledged for long counts as acknowledged: earlier clients do not know it', () => {
    const { ask, offer, asks, outbox, pass } = make();
    offer(1, 1);
    ask();
    pass(500);
    expect(asks.isLapsed(outbox.firstUnacked)).toBe(false);
    outbox.ack(1);
    expect(asks.isLapsed(outbox.firstUnacked)).toBe(true);
    outbox.ack(2);
    expect(asks.isLapsed(outbox.firstUnacked)).toBe(false);
  });
});

describe('an answer', () => {
  it('goes to whoever has passed the question on, with who gives it, and is confirmed', async () => {
    const { asks, published } = make();
    expect(JSON.parse(await asks.answer({ t: 'answer', id, ...data('12345678901234567890') }))).toEqual({
      t: 'ok',
      re: id,
    });
    const error = { code: 'declined', message: 'no' };
    await asks.answer({ t: 'answer', id, ...data('null'), error });
    expect(published).toEqual([
      {
        key: `mesh.replies asks.asker ${id}`,
        body: '12345678901234567890',
        headers: { 'evenkeel-user': 'alice', 'evenkeel-uid': 'alice', 'evenkeel-session': 's' },
      },
      {
        key: `mesh.replies asks.asker ${id}`,
        body: 'no',
        headers: expect.objectContaining({ 'evenkeel-error': 'declined' }),
      },
    ]);
  });

  it('that nobody waits for, or that is nested too deep, is an error', async () => {
    const { asks } = make({ outcome: 'unrouted' });
    const code = async (frame: Parameters<Asks['answer']>[0]) => JSON.parse(await asks.answer(frame)).code;
    expect(await code({ t: 'answer', id, ...data('1') })).toBe('not-asked');
    expect(await code({ t: 'answer', id: 'x', ...data('1') })).toBe('not-asked');
    expect(await code({ t: 'answer', id, data: { text: '[]', depth: 513 } })).toBe('too-deep');
  });
});
