import { describe, expect, it } from 'vitest';
import { isAnswerable, readQuestion } from './question.js';

const read = (over: { key?: string; exchange?: string; body?: string; properties?: object } = {}) =>
  readQuestion({
    exchange: over.exchange ?? 'mesh.ask',
    key: over.key ?? 'alice.order.confirm',
    body: Buffer.from(over.body ?? '1'),
    properties: { headers: {}, ...over.properties },
  });

describe('a question', () => {
  it('is to a user, for a method, with what it wants and how long it waits', () => {
    expect(read()).toEqual({ uid: 'alice', method: 'order.confirm', want: 'first', timeoutMs: 10_000 });
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
});
