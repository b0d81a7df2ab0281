import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '@evenkeel/client';
import { Front, type FrontName, frontNames, fronts, gatewayPlace, placesOf } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { createOperator } from 'evenkeel';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startTestMesh } from '../support/mesh.js';

const patience = { timeout: 30_000, interval: 50 };

/** A load balancer of the real program, with its configuration of `infra/`; gone when the test is over. */
async function prepare(name: FrontName): Promise<Front> {
  const front = await Front.prepare(name);
  onTestFinished(() => front.stop());
  return front;
}

/** Something that answers as an edge or a gateway does, so far as fronts look, and says its name on every socket. */
async function startNamed(name: string): Promise<{ name: string; address: string }> {
  const server = createServer((_request, response) => response.end(name));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return { name, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function reached(url: string): Promise<string> {
  const socket = new WebSocket(url, { rejectUnauthorized: false });
  onTestFinished(() => socket.terminate());
  const [name] = (await once(socket, 'message')) as [Buffer];
  return String(name);
}

describe.each(frontNames)('behind %s', (name) => {
  test('a WebSocket reaches an edge, the named one where the front can tell, and a new one after a reload', async () => {
    const [front, gateway] = [await prepare(name), await startNamed('gateway-1')];
    const edges = [await startNamed('edge-1'), await startNamed('edge-2')];
    await front.load(edges.slice(0, 1), [gateway]);
    const dial = (node: string) =>
      reached(`${front.publicUrl.replace('{node}', node)}?ticket=${node}.claims.signature`);
    expect(await dial('edge-1')).toBe('edge-1');
    await front.load(edges, [gateway]);
    for (const { name: node } of edges) {
      if (front.kind.choice === 'named') expect(await dial(node)).toBe(node);
      else expect(['edge-1', 'edge-2']).toContain(await dial(node));
    }
    const { hasGateway, hasTls }: (typeof fronts)[FrontName] & { hasTls?: boolean } = fronts[name];
    if (!hasGateway || hasTls === true) return;
    expect(await (await fetch(`http://${front.address}/gateway`)).text()).toBe('gateway-1');
  });
});

test.each(['nginx-path', 'haproxy-ticket'] as const)(
  'behind %s edges find out that clients reach them, and a client is moved from one to the other without a loss',
  async (name) => {
    const front = await prepare(name);
    const mesh = await startTestMesh({ publicUrl: front.publicUrl });
    const operator = await createOperator({ amqpUrl: mesh.urlFor('operator') });
    onTestFinished(() => operator.close());
    const states = async () => (await operator.status()).nodes.map(({ state }) => state);
    await front.load(placesOf(mesh.edges), [gatewayPlace(mesh)]);
    await vi.waitFor(async () => expect(await states()).toEqual(['active', 'active']), patience);

    const client = connect({ gateway: `http://${front.address}`, user: 'anna', storage: false });
    onTestFinished(() => client.close());
    const events: unknown[] = [];
    const statuses: string[] = [];
    client.on('counted', ({ data }) => void events.push(data));
    client.onStatus(({ type }) => void statuses.push(type));
    await vi.waitFor(() => expect(client.state).toBe('connected'), patience);
    const from = client.node ?? '';

    const publisher = await createPublisher({ name: 'fronts', amqpUrl: mesh.urlFor('app-shop') });
    onTestFinished(() => publisher.close());
    await publisher.toUser('anna', 'counted', 1);
    await operator.drain({ node: from });
    await publisher.toUser('anna', 'counted', 2);
    await vi.waitFor(() => expect(statuses).toContain('moved'), patience);
    expect(client.node).not.toBe(from);
    await publisher.toUser('anna', 'counted', 3);
    await vi.waitFor(() => expect(events).toEqual([1, 2, 3]), patience);
    expect(statuses).not.toContain('disconnected');
  },
);
