import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { JwtAuthentication } from './jwt.js';

const jwtSecret = 'a-secret-of-at-least-32-bytes-for-hs256';
const jwt = new JwtAuthentication({ jwtSecret });

async function authenticate(claims: Record<string, unknown>): Promise<string> {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret));
  return jwt.authenticate({ authorization: `Bearer ${token}`, cookie: undefined, user: undefined });
}

describe('the user of a token', () => {
  it('is its `sub`, carried', async () => {
    expect(await authenticate({ sub: 'alice' })).toBe('alice');
    expect(await authenticate({ sub: 'bob@example.com' })).toBe('~Ym9iQGV4YW1wbGUuY29t');
  });

  it.each([
    ['a number', { sub: 42 }, 'a number'],
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
