import { createHash, createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from '@evenkeel/client';
import type { Member, Mesh } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, RawClient, refusal } from '@evenkeel/testkit';
import { createOperator } from 'evenkeel';
import { expect, onTestFinished, test } from 'vitest';
import { freshVhost } from '../support/broker.js';
import { startTestMesh } from '../support/mesh.js';
import { type SecondGateway, secondGateway } from '../support/second-gateway.js';
import { SeenSecrets } from '../support/seen-secrets.js';

const json = { 'content-type': 'application/json' };
const random = (): string => randomBytes(32).toString('base64url');
const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex');
/** What is made for one run, by what it is. */
const made = {
  jwt: random(),
  consoleToken: random(),
  opsToken: random(),
  localToken: random(),
  webhook: random(),
  authHook: random(),
  namespaceHook: random(),
  monitoring: random(),
  lostCell: random(),
} as const;
/** The session of the application, which its endpoint knows. */
const cookie = `sid=${random()}`;

function token(sub: string, secret: string = made.jwt): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const words = ['room.#', 'asked.#', 'shop.#'];
  const claims = { sub, exp, evenkeel: { subscribe: words, publish: words, request: words } };
  const signed = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Nobody is told why; what they are told is looked at. */
const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.message} ${error.stack}` : String(error);

/** The application: it says who a client is and what is allowed, hears of what clients do, and fails requests. */
async function application(): Promise<{ url: string; told: string[] }> {
  const told: string[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as { type?: string };
    told.push(`${request.url} ${body.type ?? ''}`);
    if (body.type === 'request') return response.writeHead(500).end('no');
    const answers: Readonly<Record<string, object>> = {
      '/who': { user: 'carol', expiresAt: Date.now() + 600_000 },
      '/may': { allow: true },
    };
    return response.writeHead(200, json).end(JSON.stringify(answers[request.url ?? ''] ?? null));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, told };
}

/** A mesh with every secret that there is, whose logs are seen at level trace. */
async function meshSeen(seen: SeenSecrets, app: { url: string }): Promise<Mesh> {
  const vhost = await freshVhost();
  const hook = { url: `${app.url}/may`, secret: made.namespaceHook };
  const webhook = {
    name: 'shop',
    url: `${app.url}/told`,
    secret: made.webhook,
    on: ['opened', 'publish', 'request'],
    amqpUrl: vhost.urlFor('app-shop'),
  };
  const mesh = await startTestMesh({
    amqpUrl: vhost.amqpUrl,
    urlFor: vhost.urlFor,
    auth: 'jwt',
    console: true,
    api: true,
    env: {
      EVENKEEL_CONSOLE_TOKENS: `ann:operate:${hashOf(made.consoleToken)}`,
      EVENKEEL_RABBITMQ_API_URL: `http://monitoring:${made.monitoring}@127.0.0.1:1`,
      EVENKEEL_JWT_SECRET: made.jwt,
      EVENKEEL_OPS_TOKEN: made.opsToken,
      EVENKEEL_LOCAL_TOKEN: made.localToken,
      EVENKEEL_NAMESPACES: JSON.stringify({ namespaces: { asked: { subscribe: 'hook' } }, hook }),
      EVENKEEL_WEBHOOKS: JSON.stringify({ webhooks: [webhook] }),
      EVENKEEL_LOG_LEVEL: 'trace',
      EVENKEEL_MODE: 'manual',
    },
    onLine: (name, line) => seen.lines.push(`${name}: ${line}`),
  });
  seen.note('the ticket secret', mesh.secret);
  for (const [what, secret] of Object.entries(made)) seen.note(what, secret);
  seen.note("the console token's hash", hashOf(made.consoleToken));
  const key = mesh.apiAddress?.key ?? '';
  seen.note("the API's key", key);
  seen.note('its hash', hashOf(key));
  const users = [
    'edge',
    'gateway',
    'balancer',
    'console',
    'operator',
    'viewer',
    'api',
    'app-demo',
    'app-shop',
  ];
  for (const user of users) seen.note(`the password of ${user}`, new URL(mesh.urlFor(user)).password);
  return mesh;
}

/** A second gateway, which asks the application who a client is, whose ops port wants the token, and one of whose two cells is away. */
async function hookGateway(mesh: Mesh, seen: SeenSecrets, app: { url: string }): Promise<SecondGateway> {
  const north = { amqpUrl: mesh.urlFor('gateway') };
  const south = { amqpUrl: `amqp://gateway:${made.lostCell}@127.0.0.1:1`, weight: 0 };
  const env = {
    EVENKEEL_CELLS: JSON.stringify({ cells: { north, south } }),
    EVENKEEL_AUTH: 'hook',
    EVENKEEL_AUTH_HOOK_URL: `${app.url}/who`,
    EVENKEEL_AUTH_HOOK_SECRET: made.authHook,
    EVENKEEL_OPS_HOST: '0.0.0.0',
    EVENKEEL_OPS_TOKEN: made.opsToken,
    EVENKEEL_LOG_LEVEL: 'trace',
  };
  return await secondGateway(mesh, env, (name, line) => seen.lines.push(`${name}: ${line}`));
}

/** Everything that a service says on its ops port, to who has the token and to who has another. */
async function opsOf(member: Member): Promise<string[]> {
  const paths = ['/metrics', '/status', '/readyz', '/healthz'];
  const asked = paths.flatMap((path) => [made.opsToken, random()].map((shown) => [path, shown] as const));
  return Promise.all(
    asked.map(async ([path, shown]) => {
      const response = await fetch(member.opsUrl + path, { headers: { authorization: `Bearer ${shown}` } });
      return `${member.name}${path}: ${await response.text()}`;
    }),
  );
}

/** A log that is looked at too. */
function silent(seen: SeenSecrets) {
  const keep = (...parts: unknown[]): void => void seen.lines.push(`log: ${JSON.stringify(parts)}`);
  return { debug: keep, info: keep, warn: keep, error: keep };
}

test('no secret is in any log at level trace, in metrics, /status or errors of a whole run', async () => {
  const seen = new SeenSecrets();
  const app = await application();
  const mesh = await meshSeen(seen, app);
  const { member: second, url: secondUrl } = await hookGateway(mesh, seen, app);
  const lookup = async (
    gateway: string,
    headers: Record<string, string>,
  ): Promise<Record<string, string>> => {
    const response = await seen.fetch(`${gateway}/gateway`, { headers });
    const body = (await response.json()) as Record<string, string>;
    if (!response.ok) seen.lines.push(`gateway's error: ${JSON.stringify(body)}`);
    return body;
  };
  const bearer = (shown: string) => ({ authorization: `Bearer ${shown}`, cookie: `evenkeel_token=${shown}` });

  // What is right: a client with an event, a topic, a publish, a request that fails, a move.
  const good = token('alice');
  seen.note('a token', good);
  const client = connect({
    gateway: mesh.gatewayUrl,
    getToken: () => good,
    storage: false,
    fetch: seen.fetch,
    WebSocket: seen.sockets(),
  });
  onTestFinished(() => client.close());
  client.onStatus((status) => seen.lines.push(`status: ${JSON.stringify(status)}`));
  const arrived = new Promise((resolve) => client.on('greeting', resolve));
  await expect.poll(() => client.state, { timeout: 20_000 }).toBe('connected');
  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-demo'), name: 'demo' });
  onTestFinished(() => publisher.close());
  await publisher.toUser('alice', 'greeting', { text: 'hello' });
  await arrived;
  await client.subscribe('asked.a', () => {});
  await client.request('room.ask', {}).catch((error: unknown) => seen.lines.push(messageOf(error)));
  await eventually(
    'a webhook is told',
    async () => {
      await client.publish('shop.a', 1).catch((error: unknown) => seen.lines.push(messageOf(error)));
      return app.told.includes('/told publish');
    },
    20_000,
  );
  await client.request('shop.b', {}).catch((error: unknown) => seen.lines.push(messageOf(error)));
  const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
  onTestFinished(() => operator.close());
  const from = client.node ?? '';
  await operator.drain({ node: from });
  await expect.poll(() => client.node, { timeout: 30_000 }).not.toBe(from);
  const viewer = await createOperator({ amqpUrl: mesh.urlFor('viewer') });
  onTestFinished(() => viewer.close());
  seen.lines.push(JSON.stringify(await viewer.status()));
  await viewer.drain({ node: from }).catch((error: unknown) => seen.lines.push(messageOf(error)));

  // Others: a token that is renewed, one who is known by a cookie, one by server-sent events.
  const bobs = token('bob');
  seen.note('a token', bobs);
  const place = await lookup(mesh.gatewayUrl, bearer(bobs));
  const raw = await RawClient.open(place.url ?? '', place.ticket ?? '');
  onTestFinished(() => raw.close());
  raw.send({ t: 'hello', pass: place.pass });
  await raw.frame('welcome');
  const renewed = token('bob');
  seen.note('a token', renewed);
  raw.send({ t: 'refresh', id: '1', token: renewed });
  seen.noteIn('refresh', await raw.frame('ok', ({ re }) => re === '1'));
  seen.note('a cookie', cookie);
  const carols = await lookup(secondUrl, { cookie });
  const stream = new AbortController();
  const sse = (carols.url ?? '').replace(/^ws/, 'http').replace(/\/ws$/, '/sse');
  const opened = await fetch(`${sse}?ticket=${carols.ticket}`, { signal: stream.signal });
  expect(opened.status).toBe(200);
  stream.abort();

  const login = await fetch(`${mesh.consoleUrl}/api/login`, {
    method: 'POST',
    headers: { ...json, 'x-evenkeel-console': '1' },
    body: JSON.stringify({ token: made.consoleToken }),
  });
  const session = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  seen.note('a login of the console', session.split('=')[1] ?? '');
  const headers = { ...json, 'x-evenkeel-console': '1', cookie: session };
  const command = { method: 'POST', headers, body: '{"command": "plan"}' };
  seen.lines.push(await (await fetch(`${mesh.consoleUrl}/api/command`, command)).text());

  const { url: api = '', key = '' } = mesh.apiAddress ?? {};
  const ask = async (path: string, shown: string, body: string): Promise<number> => {
    const asked = { method: 'POST', headers: { ...json, ...bearer(shown) }, body };
    const response = await fetch(`${api}${path}`, asked);
    seen.lines.push(await response.text());
    return response.status;
  };
  expect(await ask('/v1/publish', key, '{"user": "alice", "data": 1}')).toBe(202);
  await ask('/v1/users/bob/request', key, '{"method": "none", "data": 1, "timeoutMs": 200}');
  await ask('/v1/users/bob/disconnect', key, '{}');

  // What is wrong: tokens, tickets, keys and passwords that nobody takes.
  const forged = token('alice', 'another-secret-of-at-least-32-bytes');
  seen.note('a forged token', forged);
  await lookup(mesh.gatewayUrl, bearer(forged));
  await lookup(mesh.gatewayUrl, bearer('not.a.token'));
  const wrongKey = random();
  seen.note('a wrong key', wrongKey);
  expect(await ask('/v1/publish', wrongKey, '{}')).toBe(401);
  expect(await ask('/v1/publish', key, '{}')).toBe(400);
  const fresh = await lookup(mesh.gatewayUrl, bearer(good));
  for (const query of [`?ticket=${fresh.ticket}x`, `?ticket=${place.ticket}`]) {
    const { body } = await refusal(fresh.url ?? '', query);
    seen.lines.push(`edge's error: ${JSON.stringify(body)}`);
  }
  const wrongPassword = randomBytes(9).toString('hex');
  seen.note('a wrong password', wrongPassword);
  const wrong = new URL(mesh.urlFor('app-demo'));
  wrong.password = wrongPassword;
  await createPublisher({ amqpUrl: wrong.href, name: 'demo', attempts: 1, log: silent(seen) }).catch(
    (error: unknown) => seen.lines.push(`publisher: ${messageOf(error)}`),
  );

  for (const member of [...mesh.members, second]) seen.lines.push(...(await opsOf(member)));
  expect(seen.lines.length).toBeGreaterThan(50);
  // The client's own, that of its move, and what was renewed are among what is looked for.
  const looked = ['gateway: ticket', 'gateway: pass', 'gateway: resume', 'move: ticket', 'refresh: pass'];
  expect([...seen.kinds]).toEqual(expect.arrayContaining(looked));
  expect([...new Set(app.told)]).toEqual(
    expect.arrayContaining(['/who ', '/may ', '/told publish', '/told request']),
  );
  expect(seen.found).toEqual([]);
});
