import { createServer, type RequestListener, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Refusal, sendJson, sendRefusal } from '@evenkeel/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalClient } from '../local/local-client.js';
import { LocalRoutes } from './local.js';

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A gateway's local routes, and what its `npm start` was asked. */
async function gateway(): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const local = await serve((req, res) => {
    asked.push(`${req.method} ${req.url} ${req.headers.authorization}`);
    if (req.url === '/stop-edge') sendJson(res, 409, { error: { code: 'last-edge', message: 'add one' } });
    else sendJson(res, 200, { node: 'edge-3' });
  });
  const routes = new LocalRoutes(() => [], new LocalClient(`http://${local}`, 'secret'));
  const host = await serve((req, res) => {
    routes.answer(req, res, new URL(req.url ?? '', 'http://gateway')).catch((error: unknown) => {
      if (error instanceof Refusal) sendRefusal(res, error);
      else throw error;
    });
  });
  return { host, asked };
}

/** Not `fetch`: that sets some of these headers itself. */
function post(host: string, path: string, headers: Record<string, string>): Promise<[number, string]> {
  const [hostname, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve([response.statusCode ?? 0, JSON.parse(text).error?.code ?? 'ok']));
    });
    sent.on('error', reject).end();
  });
}

describe('requests of the page', () => {
  it('reach the npm start with its token, and bring its answer back', async () => {
    const { host, asked } = await gateway();
    const own = { 'x-evenkeel-local': '1', origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
    expect(await post(host, '/local/add-edge', own)).toEqual([200, 'ok']);
    expect(await post(host, '/local/drain?node=edge-1', own)).toEqual([200, 'ok']);
    expect(await post(host, '/local/stop-edge', own)).toEqual([409, 'last-edge']);
    expect(asked).toEqual([
      'POST /add-edge Bearer secret',
      'POST /drain?node=edge-1 Bearer secret',
      'POST /stop-edge Bearer secret',
    ]);
  });

  it.each([
    ['without the header', (_: string) => ({})],
    ['of another origin', (_: string) => ({ 'x-evenkeel-local': '1', origin: 'http://evil.example' })],
    ['of another site', (_: string) => ({ 'x-evenkeel-local': '1', 'sec-fetch-site': 'cross-site' })],
    [
      'by another name of this address',
      (host: string) => {
        const name = `evil.example:${host.split(':')[1]}`;
        return { 'x-evenkeel-local': '1', host: name, origin: `http://${name}` };
      },
    ],
  ])('are refused %s', async (_, headers) => {
    const { host, asked } = await gateway();
    expect(await post(host, '/local/kill-edge', headers(host))).toEqual([403, 'not-local']);
    expect(asked).toEqual([]);
  });

  it('are refused when they name no node or no action', async () => {
    const { host, asked } = await gateway();
    const own = { 'x-evenkeel-local': '1' };
    expect(await post(host, '/local/drain', own)).toEqual([400, 'bad-node']);
    expect(await post(host, '/local/kill-edge?node=a/b', own)).toEqual([400, 'bad-node']);
    expect(await post(host, '/local/format-disk', own)).toEqual([404, 'not-found']);
    expect(asked).toEqual([]);
  });
});
