import { describe, expect, it } from 'vitest';
import { isAnswerable, readQuestion } from './question.js';

const nowMs = 1_800_000_000_000;
const read = (over: { key?: string; exchange?: string; body?: string; properties?: object } = {}) =>
  readQuestion(
    {
      exchange: over.exchange ?? 'mesh.ask',
      key: over.key ?? 'alice.order.confirm',
      body: Buffer.from(over.body ?? '1'),
      properties: { headers: {}, ...over.properties },
    },
    nowMs,
  );

describe('a question', () => {
  it('is to a user, for a method, with what it wants and how long it waits', () => {
    expect(read()).toEqual({
      uid: 'alice',
      method: 'order.confirm',
      want: 'first',
      timeoutMs: 10_000,
      leftMs: 10_000,
    });
    const properties = { expiration: '60000', headers: { 'evenkeel-want': 'all' } };
    expect(read({ key: '~em_Dqw.x', properties })).toMatchObject({ want: 'all', timeoutMs: 60_000 });
  });

  it.each([
    ['another exchange', { exchange: 'mesh.events' }],
    ['no method', { key: 'alice' }],
    ['a pattern', { key: 'alice.*' }],
    ['no user', { key: '$answer.x' }],
    ['no JSON', { body: '{' }],
    ['no body', { body: '' }],
    ['no time', { properties: { expiration: '0' } }],
    ['no number of ms', { properties: { expiration: 'soon' } }],
    ['too much time', { properties: { expiration: '60001' } }],
    ['another want', { properties: { headers: { 'evenkeel-want': true } } }],
  ])('with %s is none', (_, over) => {
    expect(read(over)).toMatchObject({ code: 'bad-question' });
  });

  it('has at most 65,536 bytes', () => {
    expect(read({ body: `"${'x'.repeat(65_534)}"` })).toMatchObject({ method: 'order.confirm' });
    expect(read({ body: `"${'x'.repeat(65_535)}"` })).toMatchObject({ code: 'too-large' });
  });
});

describe('the time in the queue', () => {
  const leftAfter = (ageMs: unknown, expiration?: string) => {
    const at = typeof ageMs === 'number' ? nowMs - ageMs : ageMs;
    const asked = read({ properties: { ...(expiration && { expiration }), headers: { 'evenkeel-at': at } } });
    return 'code' in asked ? asked.code : asked.leftMs;
  };

  it('counts, by when the question says that it was asked', () => {
    expect([leftAfter(0), leftAfter(4_000), leftAfter(400.5, '500')]).toEqual([10_000, 6_000, 100]);
  });

  it('is over where nobody took it in time', () => {
    expect([leftAfter(10_000), leftAfter(59_000), leftAfter(500, '500')]).toEqual(Array(3).fill('timeout'));
  });

  it('is not counted by a clock that cannot be right', () => {
    expect([leftAfter(-5_000), leftAfter(60_001), leftAfter(501, '500'), leftAfter('x')]).toEqual([
      10_000, 10_000, 500, 10_000,
    ]);
  });
});

describe('an answer', () => {
  it.each(['service.shop.answers', 'answers', 'amq.gen-x', 'operator.1', 'sessions.1'])(
    'may go to %s',
    (to) => {
      expect(isAnswerable(to)).toBe(true);
    },
  );

  it.each([
    'session.a.b',
    'mesh.plan',
    'edge.a.x',
    'control.a',
    'gateway.x',
    'balancer.b.x',
    'history.room',
    'amq.rabbitmq.trace',
    'amq.rabbitmq.reply-to.made-up',
    '',
    'x'.repeat(256),
  ])('may not go to %s', (to) => {
    expect(isAnswerable(to)).toBe(false);
  });

  it.each([
    ['service.shop.answers:x', true],
    ['amq.gen-x', true],
    ['answers', true],
    ['service.shopping.x', false],
    ['service.other.work', false],
    ['operator.1', false],
    ['api.answers.1', false],
  ])('to what an application asks under its own name may go to %s: %s', (to, may) => {
    expect(isAnswerable(to, 'app-shop')).toBe(may);
  });
});
