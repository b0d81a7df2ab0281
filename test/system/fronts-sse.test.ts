import { once } from 'node:events';
import { createServer, type IncomingMessage, request as plain, type ServerResponse } from 'node:http';
import { request as secure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from '@evenkeel/client';
import { Front, type FrontName, frontNames, gatewayPlace, placesOf } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { createOperator } from 'evenkeel';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startTestMesh } from '../support/mesh.js';

const patience = { timeout: 20_000, interval: 20 };
/** Streams are of HTTP alone, and hold behind none that knows no HTTP. */
const names = frontNames.filter((name): name is Exclude<FrontName, 'l4'> => name !== 'l4');
const big = 'x'.repeat(300_000);

/** Streams as an edge does: what is posted to it comes back by the stream, with its name. */
async function startEdge(name: string): Promise<{ name: string; address: string }> {
  let stream: ServerResponse | undefined;
  const server = createServer((incoming, response) => {
    if (incoming.method === 'GET' && /\/sse\?/.test(incoming.url ?? '')) {
      stream = response;
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      };
      response.writeHead(200, headers).write(`data: ${name}\n\n`);
      return;
    }
    // A health check, or a question whether the front reaches it.
    if (incoming.method !== 'POST') return void response.end();
    let body = '';
    incoming.setEncoding('utf8').on('data', (piece) => {
      body += piece;
    });
    incoming.on('end', () => {
      stream?.write(
        `data: ${name} ${incoming.headers['x-forwarded-for'] === undefined ? 'unforwarded' : body}\n\n`,
      );
      response.writeHead(stream === undefined ? 404 : 204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { name, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function ask(url: string, method: 'GET' | 'POST', body = ''): Promise<IncomingMessage> {
  const asking = (url.startsWith('https:') ? secure : plain)(url, { method, rejectUnauthorized: false });
  asking.end(body);
  onTestFinished(() => void asking.destroy());
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return response;
}

/** Reads a stream as it comes. */
async function read(url: string): Promise<{ status: number | undefined; text: () => string }> {
  const response = await ask(url, 'GET');
  let text = '';
  response.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  response.on('error', () => {});
  return { status: response.statusCode, text: () => text };
}

describe.each(names)('behind %s', (name) => {
  test('a stream comes as it is written, its posts reach the edge that has it, and long ones pass', async () => {
    const front = await Front.prepare(name);
    onTestFinished(() => front.stop());
    const edges = [await startEdge('edge-1'), await startEdge('edge-2')];
    await front.load(edges, [await startEdge('gateway-1')]);
    const sse = (node: string) =>
      front.publicUrl.replace(/^ws/, 'http').replace('{node}', node).replace(/ws$/, 'sse');
    for (const { name: node } of edges) {
      const stream = await read(`${sse(node)}?ticket=${node}.claims.signature`);
      expect(stream.status).toBe(200);
      await vi.waitFor(() => expect(stream.text()).toMatch(/^data: edge-\d\n\n$/), patience);
      const holder = stream.text().slice(6, 12);
      if (front.kind.choice === 'named') expect(holder).toBe(node);
      for (const body of ['short', big]) {
        const posted = await ask(`${sse(holder)}/${holder}.random?n=1`, 'POST', body);
        expect(posted.statusCode).toBe(204);
        posted.resume();
        await vi.waitFor(
          () => expect(stream.text().endsWith(`data: ${holder} ${body}\n\n`)).toBe(true),
          patience,
        );
      }
    }
  });
});

test.each(['nginx-path', 'haproxy-ticket'] as const)(
  'behind %s a client on streams is moved from one edge to the other without a loss, and what it publishes arrives',
  async (name) => {
    const front = await Front.prepare(name);
    onTestFinished(() => front.stop());
    const mesh = await startTestMesh({ publicUrl: front.publicUrl });
    await front.load(placesOf(mesh.edges), [gatewayPlace(mesh)]);
    const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
    onTestFinished(() => operator.close());
    const states = async () => (await operator.status()).nodes.map(({ state }) => state);
    await vi.waitFor(async () => expect(await states()).toEqual(['active', 'active']), patience);
    const publisher = await createPublisher({ name: 'shop', amqpUrl: mesh.urlFor('app-shop') });
    onTestFinished(() => publisher.close());
    const published: unknown[] = [];
    await publisher.on('shop.chat', ({ data }) => void published.push(data));
    const client = connect({
      gateway: `http://${front.address}`,
      user: 'anna',
      storage: false,
      transports: ['sse'],
    });
    onTestFinished(() => client.close());
    const [events, statuses]: [unknown[], string[]] = [[], []];
    client.on('counted', ({ data }) => void events.push(data));
    client.onStatus(({ type }) => void statuses.push(type));
    await client.ready();
    const from = client.node ?? '';
    await publisher.toUser('anna', 'counted', 1);
    await client.publish('shop.chat', 1);
    await operator.drain({ node: from });
    await publisher.toUser('anna', 'counted', 2);
    await vi.waitFor(() => expect(statuses).toContain('moved'), patience);
    expect(client.node).not.toBe(from);
    await publisher.toUser('anna', 'counted', big);
    await client.publish('shop.chat', 2);
    await vi.waitFor(() => expect(events).toEqual([1, 2, big]), patience);
    await vi.waitFor(() => expect(published).toEqual([1, 2]), patience);
    expect(statuses).not.toContain('disconnected');
  },
);

test('behind a front with a post for an edge that it does not know nobody else gets it', async () => {
  for (const name of ['nginx-leastconn', 'nginx-path', 'haproxy-path'] as const) {
    const front = await Front.prepare(name);
    onTestFinished(() => front.stop());
    await front.load([await startEdge('edge-1')], [await startEdge('gateway-1')]);
    const sse = front.publicUrl.replace(/^ws/, 'http').replace('{node}', 'edge-9').replace(/ws$/, 'sse');
    const posted = await ask(`${sse}/edge-9.random`, 'POST', 'x');
    expect([404, 502, 503]).toContain(posted.statusCode);
  }
});
