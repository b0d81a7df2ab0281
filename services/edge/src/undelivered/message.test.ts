import { describe, expect, it } from 'vitest';
import { readDeadLetter, undeliveredMessage } from './message.js';

const death = (over: object = {}) => ({
  'x-death': [
    { count: 1, reason: 'maxlen', queue: 'session.alice.s1', exchange: 'mesh.events', ...over },
    { count: 1, reason: 'expired', queue: 'shop.delayed', exchange: '' },
  ],
  'x-first-death-queue': 'shop.delayed',
  'x-last-death-reason': 'maxlen',
});
const letter = (headers: Record<string, unknown>, key = 'user.alice.order') => ({
  key,
  properties: { headers, correlationId: 'r1' },
});
const alice = { uid: 'alice', sid: 's1' };

describe('a dead letter', () => {
  it.each(['user.alice.$ask', 'user.alice.$topics'])(
    'with the key %s is of the mesh, and left out',
    (key) => {
      expect(readDeadLetter(letter(death(), key))).toBeUndefined();
      expect(readDeadLetter(letter(death(), `${key}s`))).toBeDefined();
    },
  );

  it.each([
    ['maxlen', 'overflow'],
    ['expired', 'expired'],
    ['rejected', 'too-large'],
  ])('that RabbitMQ dropped as %s is told as %s, for the session of its last queue', (reason, why) => {
    expect(readDeadLetter(letter(death({ reason })))).toEqual({ why, owner: alice });
    const later = { reason, queue: 'session.alice.s1.2' };
    expect(readDeadLetter(letter(death(later)))).toEqual({ why, owner: alice });
  });

  it('that came straight to the queue is an event where it answers nothing', () => {
    expect(readDeadLetter({ key: 'k', properties: { headers: death({ exchange: '' }) } })).toMatchObject({
      why: 'overflow',
    });
  });

  it.each([
    ['a seal', { ...death(), 'evenkeel-seal': 'x' }],
    ['a reply', death({ exchange: 'mesh.replies' })],
    ['a reply by the default exchange', death({ exchange: '' })],
    ['from another queue', death({ queue: 'shop.orders' })],
    ['of a reason that is none', death({ reason: 'delivery_limit' })],
    ['without its history', {}],
    ['with a history that is none', { 'x-death': ['maxlen'] }],
  ])('that is %s is left out', (_what, headers) => {
    expect(readDeadLetter(letter(headers))).toBeUndefined();
  });
});

describe('an undelivered event', () => {
  const properties = {
    messageId: 'm1',
    timestamp: 7,
    contentType: 'application/json',
    userId: 'app-shop',
    expiration: '100',
    deliveryMode: 2,
    headers: { ...death(), 'x-shop': 1, 'evenkeel-at': 5 },
  };
  const event = { key: 'user.alice.order.created', body: Buffer.from('{}'), properties };

  it('has the key, body, id, properties and headers of the event, and says why and whose it was', () => {
    const made = undeliveredMessage(event, 'overflow', alice);
    expect(made).toMatchObject({ key: 'user.alice.order.created', body: event.body });
    expect(made.properties).toMatchObject({ messageId: 'm1', timestamp: 7, persistent: true });
    expect(made.properties.headers).toEqual({
      'x-shop': 1,
      'evenkeel-at': 5,
      'evenkeel-why': 'overflow',
      'evenkeel-session': 's1',
      'evenkeel-user': 'alice',
      'evenkeel-uid': 'alice',
    });
  });

  it('has neither a user that RabbitMQ would refuse nor an expiration that has passed', () => {
    const made = undeliveredMessage(event, 'expired', alice);
    expect(made.properties).not.toHaveProperty('userId');
    expect(made.properties).not.toHaveProperty('expiration');
  });

  it('has the key by which it came to its user, and goes nowhere by the others', () => {
    const headers = { CC: ['user.bob.x', 'user.alice.x'] };
    const made = undeliveredMessage({ ...event, key: 'topic.x', properties: { headers } }, 'ended', alice);
    expect(made.key).toBe('user.alice.x');
    expect(made.properties.headers).not.toHaveProperty('CC');
    const byHand = undeliveredMessage({ ...event, key: 'odd', properties: { headers: {} } }, 'ended', alice);
    expect(byHand.key).toBe('user.alice.odd');
  });
});
