import { execFileSync } from 'node:child_process';
import { request as httpRequest } from 'node:http';
import { Broker } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { exchanges } from '@evenkeel/protocol';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startTestMesh } from '../support/mesh.js';
import { cli } from '../support/npm-start.js';

const soon = { timeout: 30_000, interval: 100 };

/** Commands as a script of the page sends them. */
async function command(
  mesh: Mesh,
  body: object,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(`${mesh.consoleUrl}/api/command`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-evenkeel-console': '1' },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

/** The messages of the console's stream until `isEnough`. */
function streamed<T>(mesh: Mesh, isEnough: (views: T[]) => boolean): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const views: T[] = [];
    let text = '';
    const request = httpRequest(`${mesh.consoleUrl}/api/stream`, (response) => {
      response.on('data', (chunk) => {
        text += chunk;
        const messages = text.split('\n\n');
        text = messages.pop() ?? '';
        for (const message of messages)
          if (message.startsWith('data: ')) views.push(JSON.parse(message.slice(6)));
        if (!isEnough(views)) return;
        resolve(views);
        request.destroy();
      });
      response.on('error', () => {});
    });
    request.on('error', (error) => reject(error));
    onTestFinished(() => void request.destroy());
    request.end();
  });
}

it('shows the mesh as it is each second, and drains and returns it in the name of who asks', async () => {
  const mesh = await startTestMesh({ console: true, env: { EVENKEEL_MODE: 'manual' } });
  const clients = Array.from({ length: 12 }, (_, n) => {
    const client = connect({ gateway: mesh.gatewayUrl, user: `user-${n}`, storage: false });
    onTestFinished(() => client.close());
    return client;
  });
  await vi.waitFor(() => expect(clients.every(({ state }) => state === 'connected')).toBe(true), soon);

  const audit = await Broker.connect({ url: mesh.amqpUrl, name: 'audit', attempts: 3 });
  onTestFinished(() => audit.close());
  const audited: unknown[] = [];
  const { queue } = await audit
    .topology()
    .declareQueue({ name: 'audit-of-console', exclusive: true })
    .then(() => ({ queue: 'audit-of-console' }));
  await audit.topology().bind(queue, exchanges.audit, 'manage.drain');
  await audit.consumers().consume(queue, {
    onDelivery: (delivery) => {
      delivery.ack();
      audited.push(JSON.parse(delivery.body.toString()));
    },
  });

  const [first] = mesh.edges;
  const node = first?.node ?? '';
  expect(await command(mesh, { command: 'drain', node })).toMatchObject({
    status: 200,
    answer: { ok: true },
  });
  type View = { me: object; status?: { nodes: { node: string; drain?: { state: string } }[] } };
  const views = await streamed<View>(mesh, (seen) =>
    seen.some(({ status }) =>
      status?.nodes.some((each) => each.node === node && each.drain?.state === 'empty'),
    ),
  );
  expect(views[0]?.me).toEqual({ name: 'developer', role: 'operate', isOpen: true });
  await vi.waitFor(
    () => expect(audited).toMatchObject([{ user: 'console', onBehalfOf: 'developer', outcome: 'ok' }]),
    soon,
  );
  expect((await command(mesh, { command: 'uncordon', node })).status).toBe(200);
  const unknown = await command(mesh, { command: 'drain', node: 'nowhere' });
  expect(unknown).toMatchObject({ status: 404, answer: { error: { code: 'unknown-node' } } });
  const where = await fetch(`${mesh.consoleUrl}/api/user/user-1`);
  expect(await where.json()).toMatchObject({ ok: true, sessions: [{ node: expect.any(String) }] });
});

it('stays up without a balancer and says so, and knows the mesh again when one is back', async () => {
  const mesh = await startTestMesh({ console: true, edges: 1 });
  const [balancer] = mesh.balancers;
  const view = async () =>
    (await (await fetch(`${mesh.consoleUrl}/api/view`)).json()) as Record<string, unknown>;
  await vi.waitFor(async () => expect(await view()).toHaveProperty('status'), soon);
  await balancer?.kill();
  await vi.waitFor(
    async () =>
      expect(await view()).toMatchObject({
        error: { code: 'timeout' },
        ageMs: expect.any(Number),
        broker: { isConnected: true },
      }),
    soon,
  );
  expect((await fetch(`${mesh.console?.opsUrl}/readyz`)).status).toBe(200);
  await balancer?.start();
  await vi.waitFor(async () => expect(await view()).not.toHaveProperty('error'), soon);
});

it('outside of development takes a token that the command line has made, and nobody without one', async () => {
  const made = execFileSync(process.execPath, [cli, 'console-token', 'ann', '--role', 'view', '--json']);
  const { token, entry } = JSON.parse(made.toString()) as { token: string; entry: string };
  const env = {
    EVENKEEL_JWT_SECRET: 'a-secret-of-this-test-with-32-characters',
    EVENKEEL_CONSOLE_TOKENS: entry,
  };
  const mesh = await startTestMesh({ console: true, edges: 1, auth: 'jwt', env });
  expect((await fetch(`${mesh.consoleUrl}/api/view`)).status).toBe(401);
  const login = await fetch(`${mesh.consoleUrl}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-evenkeel-console': '1' },
    body: JSON.stringify({ token }),
  });
  expect(await login.json()).toEqual({ name: 'ann', role: 'view', isOpen: false });
  const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const view = async () => (await fetch(`${mesh.consoleUrl}/api/view`, { headers: { cookie } })).json();
  await expect.poll(view).toMatchObject({ me: { name: 'ann' }, broker: { isConnected: true } });
});
