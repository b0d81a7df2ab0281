import { expect, it } from 'vitest';
import { replyOf } from './bodies.js';

it('the JSON of a 2xx answer is the reply, nothing is null, and what cannot be read is an error', () => {
  const done =
    (answer: unknown, isEmpty = false) =>
    () =>
      replyOf({ is: 'done', answer, isEmpty });
  expect(done({ a: 1 })()).toEqual({ a: 1 });
  expect(done(null)()).toBeNull();
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
