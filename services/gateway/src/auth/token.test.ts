import { describe, expect, it } from 'vitest';
import { tokenOf } from './token.js';

const tokenIn = (authorization: string | undefined, cookie: string | undefined) =>
  tokenOf({ authorization, cookie, user: 'mallory' });

describe('the token of a request', () => {
  it.each([
    ['a bearer token', 'Bearer a.b.c', undefined, 'a.b.c'],
    ['a bearer token before a cookie', 'bearer a.b.c', 'evenkeel_token=d.e.f', 'a.b.c'],
    ['the cookie', undefined, 'x=1; evenkeel_token=d.e.f; y=2', 'd.e.f'],
    ['the first cookie of two', undefined, 'evenkeel_token=d.e.f; evenkeel_token=g.h.i', 'd.e.f'],
  ])('is %s', (_, authorization, cookie, token) => {
    expect(tokenIn(authorization, cookie)).toBe(token);
  });

  it.each([
    ['nothing', undefined, undefined],
    ['another scheme', 'Basic YTpi', undefined],
    ['another cookie', undefined, 'evenkeel_token2=x'],
    ['a cookie that has no value, however it begins', undefined, 'evenkeel_tokenX'],
    ['a name that only ends like it', undefined, 'x_evenkeel_token=d'],
  ])('is not %s', (_, authorization, cookie) => {
    expect(tokenIn(authorization, cookie)).toBeUndefined();
  });
});
