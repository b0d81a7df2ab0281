import { describe, expect, it } from 'vitest';
import { Deliveries } from '../../testing/deliveries.js';
import { outboxWorld } from '../../testing/outbox-world.js';
import { Follower } from './follower.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${trace}-b7ad6b7169203331-01`;
const traced = { properties: { headers: { traceparent }, messageId: 'm1' } };

function make() {
  const logged: [string, object][] = [];
  const spans: string[] = [];
  const follower = new Follower(
    { debug: (fields: object, message = '') => void logged.push([message, fields]) },
    (name) => {
      spans.push(name);
      return { addEvent: (event) => spans.push(event), end: () => void spans.push('end') };
    },
  );
  return { logged, spans, follower, steps: () => logged.map(([message]) => message) };
}

describe('an event that belongs to a trace', () => {
  it('is followed from the queue to the acknowledgement by trace and session, although its headers are gone by then', () => {
    const { logged, spans, follower } = make();
    const { outbox, queue } = outboxWorld({ following: follower });
    outbox.offer(queue.event(1, traced));
    expect(outbox.ack(1)).toBe(true);
    const fields = { trace, session: 's', user: 'alice' };
    expect(logged).toEqual([
      ['event received', { ...fields, id: 'm1', key: expect.any(String) }],
      ['event written', { ...fields, seq: 1 }],
      ['event acknowledged', fields],
    ]);
    expect(spans).toEqual(['evenkeel deliver', 'written', 'acknowledged', 'end']);
  });

  it('is told when it goes back to the queue, or is too large', () => {
    const { steps, follower } = make();
    const { outbox, queue } = outboxWorld({ following: follower, maxEventBytes: 600 });
    outbox.offer(queue.event(1, traced));
    outbox.offer(queue.event(2, { ...traced, body: Buffer.from(JSON.stringify('x'.repeat(1_000))) }));
    outbox.requeueAll();
    expect(steps()).toEqual([
      'event received',
      'event written',
      'event received',
      'event dropped',
      'event given back',
    ]);
  });

  it('is told where no client acknowledges it', () => {
    const { steps, follower } = make();
    const { outbox, queue } = outboxWorld({ following: follower, ackMode: 'write' });
    outbox.offer(queue.event(1, traced));
    expect(steps()).toEqual(['event received', 'event written', 'event acknowledged']);
  });
});

it('what belongs to no trace, or to a malformed one, is not followed', () => {
  const { logged, follower } = make();
  const { outbox, queue } = outboxWorld({ following: follower });
  outbox.offer(queue.event(1));
  outbox.offer(queue.event(2, { properties: { headers: { traceparent: '00-1' }, messageId: 'm2' } }));
  outbox.ack(2);
  follower.fannedOut('news', new Deliveries().event(3));
  expect(logged).toEqual([]);
});

it('what a client sends is told once the broker has said what became of it', async () => {
  const { logged, spans, follower } = make();
  const sent = follower.handedOn(
    'request',
    { uid: 'alice', sid: 's' },
    'shop.x',
    { traceparent },
    Promise.resolve('unrouted'),
  );
  expect(await sent).toBe('unrouted');
  expect(logged).toEqual([
    ['request handed on', { trace, session: 's', user: 'alice', key: 'shop.x', outcome: 'unrouted' }],
  ]);
  expect(spans).toEqual(['evenkeel request', 'end']);
});
