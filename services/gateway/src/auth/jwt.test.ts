import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
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

describe('a key set with several keys of one kind', () => {
  const pairs = Promise.all([1, 2, 3].map(() => generateKeyPair('ES256')));

  async function userOf(n: number, headers: { kid?: string } = {}): Promise<string> {
    const keys = await pairs;
    const folder = mkdtempSync(join(tmpdir(), 'evenkeel-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'keys.json');
    const published = await Promise.all(keys.slice(0, 2).map(({ publicKey }) => exportJWK(publicKey)));
    writeFileSync(file, JSON.stringify({ keys: published.map((jwk, i) => ({ ...jwk, kid: `k${i}` })) }));
    const ofSet = new JwtAuthentication({ jwksUrl: pathToFileURL(file).href });
    await ofSet.start();
    const signer = new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg: 'ES256', ...headers });
    const token = await signer.setExpirationTime('1h').sign(keys[n]?.privateKey as CryptoKey);
    const authorization = `Bearer ${token}`;
    return (await ofSet.authenticate({ authorization, cookie: undefined, user: undefined })).uid;
  }

  it('takes a token without a kid that any of them has signed, and no other', async () => {
    expect(await userOf(0)).toBe('alice');
    expect(await userOf(1)).toBe('alice');
    await expect(userOf(2)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringContaining('signature'),
    });
  });

  it('takes a token with a kid by that key alone', async () => {
    expect(await userOf(1, { kid: 'k1' })).toBe('alice');
    await expect(userOf(1, { kid: 'k0' })).rejects.toMatchObject({ code: 'bad-credentials' });
  });
});
