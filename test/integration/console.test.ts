import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { CertificateFolder, freePort, Member } from '@evenkeel/local';
import { TcpProxy } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freshVhost } from '../support/broker.js';

const soon = { timeout: 30_000, interval: 100 };
const scripted = { 'content-type': 'application/json', 'x-evenkeel-console': '1' };

/** A console process, stopped when the test ends. */
async function startConsole(env: Record<string, string>): Promise<{ port: number; member: Member }> {
  const port = await freePort();
  const member = new Member({
    role: 'console',
    name: 'console',
    opsPort: await freePort(),
    env: { EVENKEEL_HOST: '127.0.0.1', EVENKEEL_PORT: String(port), ...env },
    onLine: () => {},
    onUnexpectedEnd: () => {},
  });
  onTestFinished(() => member.stop());
  await member.start();
  return { port, member };
}

it('is ready while RabbitMQ is away, says so to whoever looks, and is connected once RabbitMQ is back', async () => {
  const { amqpUrl, urlFor } = await freshVhost();
  const proxy = await TcpProxy.toUrl(amqpUrl);
  onTestFinished(() => proxy.close());
  proxy.refuse();
  const { port, member } = await startConsole({
    EVENKEEL_AMQP_URL: proxy.urlFor(urlFor('console')),
    EVENKEEL_CONSOLE_OPEN: 'true',
  });
  const view = async () => (await (await fetch(`http://127.0.0.1:${port}/api/view`)).json()) as object;
  await vi.waitFor(
    async () =>
      expect(await view()).toMatchObject({
        broker: { isConnected: false, why: expect.stringContaining('127.0.0.1') },
        error: { code: 'unreachable' },
      }),
    soon,
  );
  const readiness = await fetch(`${member.opsUrl}/readyz`);
  expect(await readiness.json()).toMatchObject({ ready: true, notes: { broker: expect.any(String) } });
  proxy.allow();
  await vi.waitFor(async () => expect(await view()).toMatchObject({ broker: { isConnected: true } }), soon);
});

it('with a certificate serves by TLS, where a login is a __Host- cookie that is sent by TLS alone', async () => {
  const folder = new CertificateFolder();
  onTestFinished(() => folder.remove());
  folder.serve('console');
  const hash = createHash('sha256').update('a-token').digest('hex');
  const { port } = await startConsole({
    EVENKEEL_AMQP_URL: 'amqp://console:x@127.0.0.1:1',
    EVENKEEL_CONSOLE_TOKENS: `ann:view:${hash}`,
    EVENKEEL_CONSOLE_HOSTS: 'console.example',
    EVENKEEL_TLS_CERT_FILE: folder.certFile,
    EVENKEEL_TLS_KEY_FILE: folder.keyFile,
  });
  const ask = async (path: string, { headers, ...options }: RequestOptions, body = '') => {
    const all = { ...scripted, host: 'console.example', origin: 'https://console.example', ...headers };
    const where = { host: '127.0.0.1', port, ca: folder.authority.cert, servername: 'localhost' };
    const request = httpsRequest({ ...where, path, headers: all, ...options });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { headers: response.headers, status: response.statusCode, body: await text(response) };
  };
  const login = await ask('/api/login', { method: 'POST' }, JSON.stringify({ token: 'a-token' }));
  const [cookie = ''] = login.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^__Host-evenkeel-console=[\w-]+; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
  const me = await ask('/api/me', { headers: { cookie: cookie.split(';')[0] } });
  expect([me.status, JSON.parse(me.body)]).toEqual([200, { name: 'ann', role: 'view', isOpen: false }]);
  expect((await ask('/api/me', { headers: { origin: 'http://console.example' } })).status).toBe(403);
});
