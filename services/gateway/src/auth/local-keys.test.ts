import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { JwtAuthentication } from './jwt.js';
import { keysOfPem } from './local-keys.js';

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = ({ publicKey }: ReturnType<typeof pair>) =>
  String(publicKey.export({ type: 'spki', format: 'pem' }));
const [first, second] = [pair(), pair()];

const tokenBy = ({ privateKey }: ReturnType<typeof pair>, alg = 'ES256') =>
  new SignJWT({ sub: 'alice' }).setProtectedHeader({ alg }).setExpirationTime('1h').sign(privateKey);

async function uidBy(jwt: JwtAuthentication, token: string): Promise<string> {
  return (await jwt.authenticate({ authorization: `Bearer ${token}`, cookie: undefined, user: undefined }))
    .uid;
}

it('a public key in PEM checks tokens, as text, as text in one line, and beside the next one', async () => {
  for (const jwtPublicKey of [
    pemOf(first),
    pemOf(first).replaceAll('\n', '\\n'),
    pemOf(second) + pemOf(first),
  ]) {
    const jwt = new JwtAuthentication({ jwtPublicKey });
    await jwt.start();
    expect(await uidBy(jwt, await tokenBy(first))).toBe('alice');
  }
  const jwt = new JwtAuthentication({ jwtPublicKey: pemOf(first) });
  await jwt.start();
  await expect(uidBy(jwt, await tokenBy(second))).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('a public key is never taken for a shared secret', async () => {
  const jwt = new JwtAuthentication({ jwtPublicKey: pemOf(first) });
  await jwt.start();
  const forged = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(pemOf(first)));
  await expect(uidBy(jwt, forged)).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('a key in a file is read again when the file changes; what cannot be read leaves the one before', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-keys-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key.pem');
  writeFileSync(file, pemOf(first));
  let nowMs = 10_000;
  const failures: unknown[] = [];
  const jwt = new JwtAuthentication(
    { jwtPublicKey: file },
    (error) => failures.push(error),
    () => nowMs,
  );
  await jwt.start();
  expect(await uidBy(jwt, await tokenBy(first))).toBe('alice');
  writeFileSync(file, 'nonsense');
  nowMs += 2_000;
  expect(await uidBy(jwt, await tokenBy(first))).toBe('alice');
  expect(failures).toHaveLength(1);
  writeFileSync(file, pemOf(second));
  utimesSync(file, 1, 1);
  nowMs += 2_000;
  expect(await uidBy(jwt, await tokenBy(second))).toBe('alice');
  await expect(uidBy(jwt, await tokenBy(first))).rejects.toMatchObject({ code: 'bad-credentials' });
});

it('what is no public key is refused, and it is said what to give', () => {
  expect(() => keysOfPem('nonsense')).toThrow('no PEM');
  const secret = String(first.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(() => keysOfPem(secret)).toThrow('give the public one');
  const small = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey;
  expect(() => keysOfPem(String(small.export({ type: 'spki', format: 'pem' })))).toThrow('2,048 bits');
});
