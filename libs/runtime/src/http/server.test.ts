import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { Origins } from '../origins.js';
import { sendJson } from './answer.js';
import { RequestLimits } from './request-limits.js';
import { type HttpOptions, HttpServer } from './server.js';

const silent = { debug: () => {}, error: () => {} } as unknown as HttpOptions['log'];

/** A server with one path, `/it`, and `/free` without limit. */
async function serve(
  over: Partial<HttpOptions> = {},
): Promise<{ port: number; met: string[]; reasons: string[] }> {
  const met: string[] = [];
  const reasons: string[] = [];
  const rules = {
    address: { perSecond: 0.5, burst: 3 },
    user: { perSecond: 1, burst: 1 },
    limitLoopback: true,
  };
  const route = (path: string, isFree: boolean) => ({
    has: (asked: string) => asked === path,
    methods: () => ['GET'],
    isShared: true,
    isFree,
    answer: async (_request: unknown, response: Parameters<typeof sendJson>[0]) =>
      sendJson(response, 200, {}),
  });
  const server = new HttpServer({
    host: '127.0.0.1',
    port: 0,
    origins: new Origins(undefined),
    trustedHops: 0,
    limits: new RequestLimits(
      rules,
      (by) => met.push(by),
      () => 0,
    ),
    addressConnections: 3,
    onRejected: (reason) => met.push(reason),
    onRefused: ({ reason }) => reasons.push(reason),
    now: () => 0,
    texts: { notFound: 'no such path', failed: 'it failed' },
    routes: [route('/it', false), route('/free', true)],
    log: silent,
    ...over,
  });
  await server.start();
  onTestFinished(() => server.stop());
  return { port: server.port, met, reasons };
}

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** What the server says to these bytes until it closes the connection. */
async function said(port: number, bytes: string): Promise<string> {
  const socket = dial(port);
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}

const asking = (port: number, path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers });

it('an address that asks too often gets 429 with Retry-After, whatever it asks for; health does not count', async () => {
  const { port, met, reasons } = await serve();
  const statuses = [];
  for (const path of ['/it', '/none', '/it', '/it', '/none'])
    statuses.push((await asking(port, path)).status);
  expect(statuses).toEqual([200, 404, 200, 429, 429]);
  const refused = await asking(port, '/it');
  expect(refused.headers.get('retry-after')).toBe('2');
  expect(refused.headers.get('access-control-allow-origin')).toBe('*');
  expect(await refused.json()).toMatchObject({ error: { code: 'rate-limited' } });
  expect((await asking(port, '/free')).status).toBe(200);
  // A page whose preflight were refused could not read when to come back.
  const preflight = await fetch(`http://127.0.0.1:${port}/it`, { method: 'OPTIONS' });
  expect(preflight.status).not.toBe(429);
  expect(met).toEqual(['address', 'address', 'address']);
  expect(reasons).toEqual(['not-found', 'rate-limited', 'rate-limited', 'rate-limited']);
});

it('the address is the one that trusted proxies name, and none that a client names itself', async () => {
  const forwarded = (n: number) => ({ 'x-forwarded-for': `6.6.6.${n}, 203.0.113.${n}` });
  const { port } = await serve({ trustedHops: 1 });
  const statuses = [];
  for (const n of [1, 1, 1, 1, 2]) statuses.push((await asking(port, '/it', forwarded(n))).status);
  expect(statuses).toEqual([200, 200, 200, 429, 200]);
  const direct = await serve();
  const forged = [];
  for (const n of [1, 2, 3, 4]) forged.push((await asking(direct.port, '/it', forwarded(n))).status);
  expect(forged).toEqual([200, 200, 200, 429]);
});

it('an address has so many connections at most, and may have another when one is closed', async () => {
  const { port, met } = await serve();
  const sockets = [1, 2, 3].map(() => dial(port));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await once(dial(port), 'close');
  expect(met).toEqual(['connections']);
  sockets[0]?.destroy();
  await expect.poll(async () => (await asking(port, '/free').catch(() => undefined))?.status).toBe(200);
});

it('a request whose length is given twice, or in two ways, is refused and its connection closed', async () => {
  const { port } = await serve();
  for (const lengths of [
    'Content-Length: 5\r\nContent-Length: 6',
    'Content-Length: 5\r\nContent-Length: 5',
    'Content-Length: 5\r\nTransfer-Encoding: chunked',
    'Content-Length: 5, 6',
  ]) {
    const answer = await said(port, `GET /it HTTP/1.1\r\nHost: a\r\n${lengths}\r\n\r\nhello`);
    expect([lengths, answer.slice(0, 12)]).toEqual([lengths, 'HTTP/1.1 400']);
  }
});

it('a body is not read: after the answer to a long one the connection is closed', async () => {
  const { port } = await serve();
  for (const header of ['Content-Length: 10000000', 'Transfer-Encoding: chunked']) {
    const answer = await said(port, `GET /free HTTP/1.1\r\nHost: a\r\n${header}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*connection: close.*\{\}\n$/is);
  }
});

it('a page that is not listed gets 403 before anything is done for it, and says so in the metric', async () => {
  const { port, met } = await serve({ origins: new Origins(['https://app.example']) });
  const answer = await asking(port, '/it', { origin: 'https://evil.example' });
  expect(answer.status).toBe(403);
  expect(answer.headers.get('access-control-allow-origin')).toBe(null);
  expect(answer.headers.get('vary')).toBe('origin');
  expect(await answer.json()).toMatchObject({ error: { code: 'origin-refused' } });
  expect(met).toEqual(['origin']);
  const listed = await asking(port, '/it', { origin: 'https://app.example' });
  expect([listed.status, listed.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'https://app.example',
  ]);
  expect((await asking(port, '/it')).status).toBe(200);
});

it('every answer, an error too, is shown in no frame, taken for nothing else and loaded by no other origin', async () => {
  const { port } = await serve();
  for (const path of ['/free', '/none', '/it']) {
    const { headers } = await asking(port, path);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
  }
});
