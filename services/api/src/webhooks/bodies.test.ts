import { JsonText } from '@evenkeel/publisher';
import { expect, it } from 'vitest';
import { inboundBody, replyOf } from './bodies.js';

const sent = { id: 'i', user: 'zoë "x"', session: 's', method: 'shop.a', data: 9007199254740992 };

it.each([
  ['9007199254740993', '"data":9007199254740993'],
  ['{"a":1e400, "b":-0}', '"data":{"a":1e400, "b":-0}'],
])('an application is told %s as the client has written it', (json, member) => {
  const told = inboundBody('publish', { ...sent, json });
  expect(told).toContain(member);
  const { data: _, ...named } = JSON.parse(told);
  expect(named).toEqual({ type: 'publish', id: 'i', user: 'zoë "x"', session: 's', topic: 'shop.a' });
});

it('text that is no JSON is told as a string, and bytes in base64', () => {
  const told = (data: unknown) => JSON.parse(inboundBody('request', { ...sent, id: undefined, data }));
  expect(told('{x')).toEqual({
    type: 'request',
    user: 'zoë "x"',
    session: 's',
    method: 'shop.a',
    data: '{x',
  });
  expect(told(Uint8Array.of(255, 0))).toMatchObject({ base64: '/wA=' });
  expect(told(Uint8Array.of(255, 0))).not.toHaveProperty('data');
});

it('the JSON of a 2xx answer is the reply, nothing is null, and what cannot be read is an error', () => {
  const done =
    (json: string | undefined, isEmpty = false) =>
    () =>
      replyOf({ is: 'done', json, isEmpty });
  expect(done('{"a": 9007199254740993}')()).toEqual(new JsonText('{"a": 9007199254740993}'));
  expect(done('null')()).toEqual(new JsonText('null'));
  expect(done(undefined, true)()).toBeNull();
  expect(done(undefined)).toThrow(expect.objectContaining({ code: 'webhook-failed' }));
});

it('a refusal is the error that it names, everything else one of ours', () => {
  const refused = (answer: unknown) => () => replyOf({ is: 'refused', status: 409, answer });
  expect(refused({ code: 'sold-out', detail: 'none is left' })).toThrow(
    expect.objectContaining({ code: 'sold-out', message: 'none is left' }),
  );
  for (const answer of [undefined, 'no', { code: '' }, { code: 'x'.repeat(65) }])
    expect(refused(answer)).toThrow(expect.objectContaining({ code: 'webhook-failed' }));
  expect(() => replyOf({ is: 'dead', tries: 3, why: 'refused' })).toThrow(
    expect.objectContaining({ code: 'webhook-failed' }),
  );
});
