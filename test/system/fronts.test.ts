import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
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

/** An agent that says how much room is left, and how often it was asked. */
async function startAgent(line: string): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createTcpServer((socket) => {
    asked++;
    socket.on('error', () => {}).end(`${line}\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
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

test('behind haproxy-agent edges that are not empty any more still get clients', async () => {
  const [front, gateway] = [await prepare('haproxy-agent'), await startNamed('gateway-1')];
  const agents = [await startAgent('ready up 99%'), await startAgent('ready up 1%')];
  const edges = await Promise.all(
    agents.map(async ({ port }, n) => ({ ...(await startNamed(`edge-${n + 1}`)), agentPort: port })),
  );
  await front.load(edges, [gateway]);
  // Asked again: the first answer has been read.
  await vi.waitFor(
    () => expect(Math.min(...agents.map(({ asked }) => asked()))).toBeGreaterThan(1),
    patience,
  );
  // For an edge that it does not know: by what the agents say.
  expect(await reached(`${front.publicUrl}?ticket=edge-9.claims.signature`)).toBe('edge-1');
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
