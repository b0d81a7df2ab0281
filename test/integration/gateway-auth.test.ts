import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Passes } from '@evenkeel/access';
import { TicketSigner } from '@evenkeel/ticket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { secret, startGateway } from './gateway-fixture.js';

const jwtSecret = 'a-secret-of-at-least-32-bytes-for-hs256';
const signer = new TicketSigner([secret]);

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

function hs256(claims: object, key: string | Buffer = jwtSecret): string {
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('EVENKEEL_AUTH=jwt with a secret', () => {
  it('takes the user from `sub` of a bearer token or of the cookie, never from ?user=', async () => {
    const { ask, edges } = await startGateway({ EVENKEEL_AUTH: 'jwt', EVENKEEL_JWT_SECRET: jwtSecret });
    await edges.report({ e1: {} });
    const token = hs256({ sub: 'bob@example.com', exp: inAnHour() });
    for (const init of [bearer(token), { headers: { cookie: `a=b; evenkeel_token=${token}` } }]) {
      const response = await ask('?user=mallory', init);
      expect(response.status).toBe(200);
      const { ticket } = (await response.json()) as { ticket: string };
      const verdict = signer.check(ticket, { name: 'e1', boot: 'b1' }, Date.now());
      expect(verdict.ok && verdict.claims.uid).toBe('~Ym9iQGV4YW1wbGUuY29t');
    }
  });

  it('refuses tokens that are missing, forged, expired, unsigned or without a user', async () => {
    const { ask, edges, url } = await startGateway({ EVENKEEL_AUTH: 'jwt', EVENKEEL_JWT_SECRET: jwtSecret });
    await edges.report({ e1: {} });
    const unsigned = `${encode({ alg: 'none' })}.${encode({ sub: 'bob' })}.`;
    const refused: [string, RequestInit][] = [
      ['missing', {}],
      ['forged', bearer(hs256({ sub: 'bob', exp: inAnHour() }, 'another-secret-of-at-least-32-bytes!'))],
      ['expired', bearer(hs256({ sub: 'bob', exp: inAnHour() - 7_200 }))],
      ['unsigned', bearer(unsigned)],
      ['without a user', bearer(hs256({ exp: inAnHour() }))],
      ['of a user whose id is too long', bearer(hs256({ sub: 'x'.repeat(97), exp: inAnHour() }))],
      ['no token at all', bearer('x')],
    ];
    for (const [what, init] of refused) {
      const response = await ask('?user=bob', init);
      expect([what, response.status]).toEqual([what, 401]);
      expect(response.headers.get('www-authenticate')).toContain('Bearer');
    }
    for (const sub of [42, true, ['bob'], { name: 'bob' }]) {
      const response = await ask('', bearer(hs256({ sub, exp: inAnHour() })));
      expect([sub, response.status]).toEqual([sub, 401]);
      expect(await response.json()).toMatchObject({
        error: { code: 'bad-credentials', message: expect.stringContaining('`sub`') },
      });
    }
    // The page is for development only.
    expect((await fetch(`${url}/`)).status).toBe(404);
  });
});

describe('what a token grants', () => {
  const env = { EVENKEEL_AUTH: 'jwt', EVENKEEL_JWT_SECRET: jwtSecret };
  interface Placed {
    ticket: string;
    session: string;
    pass: string;
    resume: string;
  }

  it('comes as a pass that the ticket names, and ends with the token', async () => {
    const { ask, edges } = await startGateway(env);
    await edges.report({ e1: {} });
    const evenkeel = { subscribe: ['room.42.#'], request: [] };
    const exp = inAnHour();
    const response = await ask('', bearer(hs256({ sub: 'alice', exp, evenkeel })));
    const { ticket, pass } = (await response.json()) as Placed;
    const verdict = signer.check(ticket, { name: 'e1', boot: 'b1' }, Date.now());
    const held = verdict.ok ? verdict.claims.pass : undefined;
    const authority = new Passes([secret]).authority('alice', pass, held);
    expect(authority).toMatchObject({ grants: evenkeel, byDefault: 'claim', hold: held });
    expect(Math.abs((held?.exp ?? 0) - exp * 1_000)).toBeLessThan(5_000);
  });

  it('is nothing when the token has no exp, was issued in the future, or has a claim that is not understood', async () => {
    const { ask, edges } = await startGateway(env);
    await edges.report({ e1: {} });
    for (const claims of [{ exp: undefined }, { iat: inAnHour() }, { evenkeel: { read: ['#'] } }]) {
      const response = await ask('', bearer(hs256({ sub: 'alice', exp: inAnHour(), ...claims })));
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: 'bad-credentials' } });
    }
  });

  it('is given back for a session with its resume alone: without it, the session is a new one', async () => {
    const { ask, edges } = await startGateway(env);
    await edges.report({ e1: {} });
    const init = bearer(hs256({ sub: 'alice', exp: inAnHour() }));
    const place = async (query: string, as = init) => (await (await ask(query, as)).json()) as Placed;
    const { session, resume } = await place('');
    expect((await place(`?session=${session}&resume=${resume}`)).session).toBe(session);
    const mallory = bearer(hs256({ sub: 'mallory', exp: inAnHour() }));
    for (const [query, as] of [
      [`?session=${session}`, init],
      [`?session=other&resume=${resume}`, init],
      [`?session=${session}&resume=${resume}`, mallory],
    ] as const) {
      const placed = await place(query, as);
      expect(placed.session).not.toBe(session);
      const verdict = signer.check(placed.ticket, { name: 'e1', boot: 'b1' }, Date.now());
      expect(verdict.ok && verdict.claims.isNew).toBe(true);
    }
  });
});

describe('EVENKEEL_AUTH=jwt with a key set', () => {
  it('checks signatures by the keys, and does not take a public key for a shared secret', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'jwks.json');
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' };
    await writeFile(file, JSON.stringify({ keys: [jwk] }));
    const { ask, edges } = await startGateway({
      EVENKEEL_AUTH: 'jwt',
      EVENKEEL_JWKS_URL: pathToFileURL(file).href,
      EVENKEEL_JWT_ISSUER: 'https://issuer.example',
    });
    await edges.report({ e1: {} });
    const rs256 = (claims: object) => {
      const body = `${encode({ alg: 'RS256', kid: 'k1' })}.${encode(claims)}`;
      return `${body}.${sign('sha256', Buffer.from(body), privateKey).toString('base64url')}`;
    };
    const claims = { sub: 'bob', iss: 'https://issuer.example', exp: inAnHour() };
    expect((await ask('', bearer(rs256(claims)))).status).toBe(200);
    expect((await ask('', bearer(rs256({ ...claims, iss: 'https://other.example' })))).status).toBe(401);
    const pem = publicKey.export({ format: 'pem', type: 'spki' });
    expect((await ask('', bearer(hs256(claims, pem)))).status).toBe(401);
  });
});

describe('EVENKEEL_AUTH unset', () => {
  it('lets nobody in', async () => {
    const { ask, edges } = await startGateway({ EVENKEEL_AUTH: 'off' });
    await edges.report({ e1: {} });
    expect((await ask('?user=alice')).status).toBe(401);
  });
});
