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

  it('counts beyond what clocks may be off, by when the question says that it was asked', () => {
    expect([leftAfter(14_000), leftAfter(10_400.5, '500'), leftAfter(40_000, '60000')]).toEqual([
      6_000, 100, 30_000,
    ]);
  });

  it('takes nothing from a service whose clock is off as far as is tolerated', () => {
    for (const offMs of [-10_000, -9_000, 0, 9_000, 10_000])
      for (const timeoutMs of [500, 10_000, 60_000])
        expect(leftAfter(offMs, String(timeoutMs))).toBe(timeoutMs);
  });

  it('is over where nobody took it in time', () => {
    expect([leftAfter(20_000), leftAfter(70_000, '60000'), leftAfter(10_500, '500')]).toEqual(
      Array(3).fill('timeout'),
    );
  });

  it('is not counted by a clock that cannot be right', () => {
    expect([leftAfter(-15_000), leftAfter(70_001), leftAfter(10_501, '500'), leftAfter('x')]).toEqual([
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
