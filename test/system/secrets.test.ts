import { createHash, createHmac, randomBytes } from 'node:crypto';
import { connect } from '@evenkeel/client';
import type { Member } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { refusal } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { expect, onTestFinished, test } from 'vitest';
import { startTestMesh } from '../support/mesh.js';

const json = { 'content-type': 'application/json', 'x-evenkeel-console': '1' };
const jwtSecret = randomBytes(32).toString('base64url');

function token(sub: string, secret = jwtSecret): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const claims = { sub, exp, evenkeel: { subscribe: ['room.#'], publish: ['room.#'], request: ['room.#'] } };
  const signed = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Nobody is told why; what they are told is looked at. */
const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${error.stack}` : String(error);

test('no secret is in any log at level trace, in metrics, /status or errors of a whole run', async () => {
  const seen: string[] = [];
  const consoleToken = randomBytes(32).toString('base64url');
  const hash = createHash('sha256').update(consoleToken).digest('hex');
  const ofConsole = { EVENKEEL_CONSOLE_TOKENS: `ann:operate:${hash}` };
  const mesh = await startTestMesh({
    auth: 'jwt',
    console: true,
    env: {
      ...ofConsole,
      EVENKEEL_JWT_SECRET: jwtSecret,
      EVENKEEL_LOG_LEVEL: 'trace',
      EVENKEEL_MODE: 'manual',
    },
    onLine: (name, line) => seen.push(`${name}: ${line}`),
  });
  const secrets = new Map<string, string>([
    ['the ticket secret', mesh.secret],
    ['the JWT secret', jwtSecret],
    ['the console token', consoleToken],
    ['its hash', hash],
  ]);
  for (const user of ['edge', 'gateway', 'balancer', 'console', 'operator', 'app-demo']) {
    secrets.set(`the password of ${user}`, new URL(mesh.urlFor(user)).password);
  }

  // What is right: a client with an event, a topic, a request that nobody serves, a move, and its end.
  const good = token('alice');
  secrets.set('a token', good);
  const lookup = async (bearer: string, query = ''): Promise<Record<string, string>> => {
    const headers = { authorization: `Bearer ${bearer}`, cookie: `evenkeel_token=${bearer}` };
    const response = await fetch(`${mesh.gatewayUrl}/gateway${query}`, { headers });
    const body = (await response.json()) as Record<string, string>;
    if (!response.ok) seen.push(`gateway's error: ${JSON.stringify(body)}`);
    return body;
  };
  const client = connect({ gateway: mesh.gatewayUrl, getToken: () => good, storage: false });
  onTestFinished(() => client.close());
  client.onStatus((status) => seen.push(`status: ${JSON.stringify(status)}`));
  const arrived = new Promise((resolve) => client.on('greeting', resolve));
  await expect.poll(() => client.state, { timeout: 20_000 }).toBe('connected');
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-demo'), name: 'demo' });
  onTestFinished(() => publisher.close());
  await publisher.toUser('alice', 'greeting', { text: 'hello' });
  await arrived;
  await client.request('room.ask', {}).catch((error: unknown) => seen.push(`request: ${messageOf(error)}`));
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  const [first] = mesh.edges;
  await operator.drain({ node: first?.node ?? '' });

  const login = await fetch(`${mesh.consoleUrl}/api/login`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ token: consoleToken }),
  });
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  secrets.set('a login of the console', cookie.split('=')[1] ?? '');
  const command = { method: 'POST', headers: { ...json, cookie }, body: '{"command": "plan"}' };
  seen.push(await (await fetch(`${mesh.consoleUrl}/api/command`, command)).text());

  // What is wrong: tokens, tickets and passwords that nobody takes.
  const forged = token('alice', 'another-secret-of-at-least-32-bytes');
  secrets.set('a forged token', forged);
  await lookup(forged);
  await lookup('not.a.token');
  const place = await lookup(good);
  for (const field of ['ticket', 'pass', 'resume']) {
    const value = place[field];
    if (value !== undefined) secrets.set(`a ${field}`, value);
  }
  const { body } = await refusal(place.url ?? '', `?ticket=${place.ticket}x`);
  seen.push(`edge's error: ${JSON.stringify(body)}`);
  const wrongPassword = randomBytes(9).toString('hex');
  secrets.set('a wrong password', wrongPassword);
  const wrong = new URL(mesh.urlFor('app-demo'));
  wrong.password = wrongPassword;
  await createPublisher({ amqpUrl: wrong.href, name: 'demo', attempts: 1, log: silent(seen) }).catch(
    (error: unknown) => seen.push(`publisher: ${messageOf(error)}`),
  );

  for (const member of mesh.members) seen.push(...(await opsOf(member)));
  expect(seen.length).toBeGreaterThan(50);
  for (const [what, secret] of secrets) {
    expect(secret.length, what).toBeGreaterThan(8);
    expect(
      seen.filter((line) => line.includes(secret) || line.includes(encodeURIComponent(secret))),
      what,
    ).toEqual([]);
  }
});

/** Everything that a service says on its ops port. */
async function opsOf(member: Member): Promise<string[]> {
  const paths = ['/metrics', '/status', '/readyz', '/healthz'];
  return Promise.all(
    paths.map(async (path) => `${member.name}${path}: ${await (await fetch(member.opsUrl + path)).text()}`),
  );
}

/** A log that is looked at too. */
function silent(seen: string[]) {
  const keep = (...parts: unknown[]): void => void seen.push(`log: ${JSON.stringify(parts)}`);
  return { debug: keep, info: keep, warn: keep, error: keep };
}
