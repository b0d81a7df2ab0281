import { describe, expect, it } from 'vitest';
import { Origins } from '../origins.js';
import type { Refusal } from './answer.js';
import { cookieRefusal, corsHeaders, originRefusal } from './cors.js';

const app = 'https://app.example';
const evil = 'https://evil.example';
const open = new Origins(undefined);
const listed = new Origins([app]);

const codeOf = (refusal: Refusal | undefined): string | undefined =>
  refusal && `${refusal.status} ${refusal.code}`;

describe('CORS', () => {
  it('of any page never lets cookies along', () => {
    const headers = corsHeaders(open, evil);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('of a list names the origin that asks, if it is listed, and varies by it', () => {
    const headers = corsHeaders(listed, app);
    expect(headers).toMatchObject({ 'access-control-allow-origin': app, vary: 'origin' });
    expect(headers['access-control-allow-credentials']).toBe('true');
    for (const other of [evil, 'null', undefined, `${app}.evil.example`])
      expect(corsHeaders(listed, other)).toEqual({ vary: 'origin' });
  });
});

it('a page that is not listed is refused, a program is not', () => {
  expect(codeOf(originRefusal(listed, { origin: evil }))).toBe('403 origin-refused');
  expect(codeOf(originRefusal(listed, { origin: app }))).toBe(undefined);
  expect(codeOf(originRefusal(listed, {}))).toBe(undefined);
  expect(codeOf(originRefusal(open, { origin: evil }))).toBe(undefined);
});

describe('a cookie', () => {
  const cookie = 'evenkeel_token=x';
  const refused = '403 cookie-refused';

  it.each([
    ['a page of this origin', open, { cookie, 'sec-fetch-site': 'same-origin' }, undefined],
    ['who typed the address', open, { cookie, 'sec-fetch-site': 'none' }, undefined],
    ['a program', open, { cookie }, undefined],
    ['a listed page', listed, { cookie, origin: app, 'sec-fetch-site': 'cross-site' }, undefined],
    ['a page of another site, as an image does', open, { cookie, 'sec-fetch-site': 'cross-site' }, refused],
    ['the same, with a list', listed, { cookie, 'sec-fetch-site': 'cross-site' }, refused],
    ['a page of a sister domain', listed, { cookie, 'sec-fetch-site': 'same-site' }, refused],
    ['a page that any origin lets in', open, { cookie, origin: evil }, refused],
    ['a page of nowhere', listed, { cookie, origin: 'null', 'sec-fetch-site': 'cross-site' }, refused],
    ['a page without the cookie', open, { origin: evil, 'sec-fetch-site': 'cross-site' }, undefined],
    ['a page with a token', open, { cookie, origin: evil, authorization: 'Bearer x' }, undefined],
  ] as const)('of %s', (_, origins, headers, outcome) => {
    expect(codeOf(cookieRefusal(origins, headers))).toBe(outcome);
  });
});
