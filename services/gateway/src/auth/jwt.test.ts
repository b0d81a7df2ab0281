import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Credentials } from './credentials.js';
import { JwtAuthentication } from './jwt.js';

const jwtSecret = 'a-secret-of-at-least-32-bytes-for-hs256';
const jwt = new JwtAuthentication({ jwtSecret });

const refusal = (credentials: Partial<Credentials>) =>
  jwt.authenticate({ authorization: undefined, cookie: undefined, user: undefined, ...credentials }).then(
    () => undefined,
    (error: unknown) => error,
  );

async function authenticate(claims: Record<string, unknown>): Promise<string> {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret));
  return (await jwt.authenticate({ authorization: `Bearer ${token}`, cookie: undefined, user: undefined }))
    .uid;
}

describe('the user of a token', () => {
  it('is its `sub`, carried', async () => {
    expect(await authenticate({ sub: 'alice' })).toBe('alice');
    expect(await authenticate({ sub: 'bob@example.com' })).toBe('~Ym9iQGV4YW1wbGUuY29t');
  });

  it.each([
    ['a number', { sub: 42 }, 'a number'],
    ['a truth', { sub: true }, 'a boolean'],
    ['a list', { sub: ['alice'] }, 'an array'],
    ['an object', { sub: { id: 'alice' } }, 'an object'],
    ['null', { sub: null }, 'null'],
    ['missing', {}, 'no `sub`'],
    ['empty', { sub: '' }, 'empty'],
    ['too long', { sub: 'x'.repeat(97) }, '97 bytes'],
    ['not Unicode', { sub: 'a\ud800' }, 'surrogate'],
  ])('is refused as bad-credentials, naming `sub`, when that is %s', async (_, claims, what) => {
    const refused = expect(authenticate(claims)).rejects;
    await refused.toMatchObject({ code: 'bad-credentials', message: expect.stringContaining('`sub`') });
    await refused.toThrow(what);
  });
});

it.each([
  ['nothing', {}, 'no-credentials', 'send Authorization: Bearer <token>'],
  ['a user id alone', { user: 'alice' }, 'no-credentials', 'in development mode only'],
  ['the word Bearer twice', { authorization: 'Bearer Bearer a.b.c' }, 'bad-credentials', 'one token'],
  ['another scheme', { authorization: 'Basic YTpi' }, 'bad-credentials', 'send Authorization: Bearer'],
  ['no token', { authorization: 'Bearer undefined' }, 'bad-credentials', 'get a new one'],
])('who sends %s is told what to send', async (_, credentials, code, text) => {
  expect(await refusal(credentials)).toMatchObject({ code, message: expect.stringContaining(text) });
});
