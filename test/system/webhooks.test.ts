import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { connect } from '@evenkeel/client';
import type { MeshOptions } from '@evenkeel/local';
import { eventually, RawClient } from '@evenkeel/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { freshVhost } from '../support/broker.js';
import { startTestMesh } from '../support/mesh.js';

const secret = 'the-secret-of-the-shop';
const python = join(import.meta.dirname, '..', 'support', 'webhook.py');

interface Told {
  readonly type: string;
  readonly user: string;
  readonly data?: unknown;
  readonly [field: string]: unknown;
}

/** A mesh whose API tells the application `shop` at this address. */
async function meshTelling(
  port: number,
  on: readonly string[],
  more: Partial<MeshOptions> = {},
  broken: readonly object[] = [],
) {
  const vhost = await freshVhost();
  const webhook = {
    name: 'shop',
    url: `http://127.0.0.1:${port}/hook`,
    secret,
    on,
    amqpUrl: vhost.urlFor('app-shop'),
  };
  const env = { EVENKEEL_WEBHOOKS: JSON.stringify({ webhooks: [webhook, ...broken] }) };
  return startTestMesh({ edges: 1, api: true, amqpUrl: vhost.amqpUrl, urlFor: vhost.urlFor, env, ...more });
}

async function connected(gateway: string, user: string) {
  const client = connect({ gateway, user, storage: false });
  onTestFinished(() => client.close());
  await eventually(`${user} is connected`, () => client.state === 'connected', 30_000);
  return client;
}

test('an application in Python that speaks only HTTP is told what happens, and answers requests, by signed webhooks', async () => {
  const server = spawn('/usr/bin/python3', ['-B', python, secret], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void server.kill());
  const lines = createInterface({ input: server.stdout });
  const [port] = (await once(lines, 'line')) as [string];
  const told: Told[] = [];
  lines.on('line', (line) => told.push(JSON.parse(line) as Told));

  const mesh = await meshTelling(Number(port), ['opened', 'ended', 'publish', 'request']);
  const client = await connected(mesh.gatewayUrl, 'alice');
  const { session } = client;
  expect(await client.request('shop.greet', { n: 1 })).toEqual({ hello: 'alice', got: { n: 1 } });
  await expect(client.request('shop.refuse', {})).rejects.toMatchObject({
    code: 'sold-out',
    message: 'none is left',
  });
  for (const n of [1, 2, 3]) await client.publish('shop.basket', { n });
  await eventually('all publishes', () => told.filter(({ type }) => type === 'publish').length === 3, 20_000);
  await client.end();
  await eventually('the end', () => told.some(({ type }) => type === 'ended'), 30_000);

  const of = (type: string) => told.filter((each) => each.type === type);
  expect(of('opened')).toEqual([expect.objectContaining({ user: 'alice', session, id: expect.any(String) })]);
  expect(of('publish').map(({ topic, data, user }) => ({ topic, data, user }))).toEqual(
    [1, 2, 3].map((n) => ({ topic: 'shop.basket', data: { n }, user: 'alice' })),
  );
  expect(of('ended')).toMatchObject([{ user: 'alice', session, reason: 'bye' }]);
});

test('numbers beyond 2^53 stay whole, in what an application is told and in what it answers', async () => {
  const told: string[] = [];
  const server = createServer(async (request, response) => {
    told.push(await text(request));
    response.writeHead(200).end('{"n": 9007199254740993, "far": 1e400}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const mesh = await meshTelling((server.address() as AddressInfo).port, ['publish', 'request']);
  const place = await (await fetch(`${mesh.gatewayUrl}/gateway?user=alice`)).json();
  const { url, ticket } = place as { url: string; ticket: string };
  const client = await RawClient.open(url, ticket);
  onTestFinished(() => client.close());
  client.send({ t: 'hello' });
  await client.frame('welcome');
  const heard = async (frame: string): Promise<string> => {
    const before = told.length;
    await eventually('it is told', async () => {
      client.send(frame);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return told.length > before;
    });
    return told[before] ?? '';
  };
  expect(await heard('{"t":"publish","id":"p","topic":"shop.a","data":98765432109876543210}')).toMatch(
    /"topic":"shop\.a","data":98765432109876543210}$/,
  );
  expect(await heard('{"t":"request","id":"r","method":"shop.q","data":[1e400, -0]}')).toMatch(
    /"method":"shop\.q","data":\[1e400, -0\]}$/,
  );
  await client.until('the answer', () =>
    client.log.some((each) => each.text.includes('"data":{"n": 9007199254740993, "far": 1e400}')),
  );
});

test('an endpoint that fails is told again in order and under the same id; another session does not wait for it', async () => {
  const told: Told[] = [];
  let failures = 2;
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Told;
    const fails = body.user === 'alice' && failures > 0;
    if (fails) failures -= 1;
    told.push({ ...body, fails });
    response.writeHead(fails ? 503 : 204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());

  const mesh = await meshTelling((server.address() as AddressInfo).port, ['publish']);
  const [alice, bob] = [await connected(mesh.gatewayUrl, 'alice'), await connected(mesh.gatewayUrl, 'bob')];
  await alice.publish('shop.a', 1);
  await alice.publish('shop.a', 2);
  await bob.publish('shop.a', 3);
  await eventually('everything', () => told.filter(({ fails }) => fails === false).length === 3, 30_000);
  const ofAlice = told.filter(({ user }) => user === 'alice');
  expect(ofAlice.map(({ data, fails }) => [data, fails])).toEqual([
    [1, true],
    [1, true],
    [1, false],
    [2, false],
  ]);
  expect(new Set(ofAlice.slice(0, 3).map(({ id }) => id)).size).toBe(1);
  const bobs = told.findIndex(({ user }) => user === 'bob');
  expect(bobs).toBeLessThan(told.findIndex(({ user, fails }) => user === 'alice' && fails === false));
});

test('an application whose broker refuses it, or that may not hear what it asks for, holds up nobody else', async () => {
  const told: Told[] = [];
  const server = createServer(async (request, response) => {
    told.push(JSON.parse(await text(request)) as Told);
    response.writeHead(200).end('no JSON');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/broken`;
  // The one has a password that nobody has; the other is told as the API's own user, which may not hear clients.
  const broken = [
    { name: 'locked', url, secret, on: ['opened', 'request'], amqpUrl: 'amqp://app-shop:wrong@127.0.0.1:1' },
    { name: 'nobody', url, secret, on: ['publish'] },
  ];
  const mesh = await meshTelling(port, ['publish', 'request'], {}, broken);
  const { url: api = '', key = '' } = mesh.apiAddress ?? {};
  const response = await fetch(`${api}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'alice', data: 1 }),
  });
  expect(response.status).toBe(202);
  const client = await connected(mesh.gatewayUrl, 'alice');
  await client.publish('shop.a', 1);
  await eventually('the shop is told', () => told.length === 1, 20_000);
  // What is no JSON is no answer either.
  await expect(client.request('shop.greet', {})).rejects.toMatchObject({ code: 'webhook-failed' });
  const ready = (await (await fetch(`${mesh.api?.opsUrl}/readyz`)).json()) as { notes?: object };
  expect(ready.notes).toMatchObject({ webhooks: expect.any(String) });
});
