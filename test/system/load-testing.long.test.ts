import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { startTestMesh } from '../support/mesh.js';
import { runTsung } from '../support/tsung.js';

const folder = join(import.meta.dirname, '..', '..', 'examples', 'load-testing');

const clients = 10;

/** A mesh, ten events a second to each of tsung's users, and what makes its files fit. */
async function underTest() {
  const mesh = await startTestMesh({ demo: true });
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'shop' });
  onTestFinished(() => publisher.close());
  const timer = setInterval(() => {
    for (let user = 1; user <= clients; user += 1)
      void publisher.toUser(`load-${user}`, 'load.tick', { n: 1, at: Date.now() });
  }, 100);
  onTestFinished(() => clearInterval(timer));
  const changes = {
    'port="8080"': `port="${new URL(mesh.gatewayUrl).port}"`,
    '<load duration="60"': '<load duration="40"',
    'maxnumber="100"': `maxnumber="${clients}"`,
    'to="10"': 'to="5"',
    'value="2" random="true"': 'value="0.2" random="true"',
  };
  return { mesh, changes };
}

test('tsung as bare clients: each asks the gateway, dials the edge that it names, and gets its events', async () => {
  const { changes } = await underTest();
  const counts = await runTsung('tsung-bare.xml', changes);
  expect(counts).toMatchObject({ users_count: clients, websocket_succ: clients });
  expect(counts.match).toBeGreaterThanOrEqual(5 * clients);
});

test('tsung in the protocol: each is welcomed, and events and topic messages come', async () => {
  const { changes } = await underTest();
  const counts = await runTsung('tsung-protocol.xml', changes);
  expect(counts).toMatchObject({ users_count: clients, websocket_succ: clients });
  expect(counts.match).toBeGreaterThanOrEqual(6 * clients);
});

/** What Artillery calls, in the form in which it calls it. */
interface Processor {
  dialEdge(params: DialParams, context: object, next: (error?: Error) => void): void;
  hello(context: { ws: WebSocket }, events: EventEmitter, next: () => void): void;
}
interface DialParams {
  target: string;
  subprotocols?: string[];
}

test('the functions that the Artillery file names take a client through the gateway to its edge, and count events', async () => {
  const { mesh } = await underTest();
  const file = readFileSync(join(folder, 'artillery.yml'), 'utf8');
  const processor = createRequire(import.meta.url)(join(folder, 'artillery-processor.cjs')) as Processor;
  const named = [...file.matchAll(/function: "(\w+)"/g)].map(([, name]) => name);
  expect(named).toEqual(Object.keys(processor));
  const params: DialParams = { target: mesh.gatewayUrl };
  await new Promise<void>((resolve, reject) => {
    processor.dialEdge(params, {}, (error) => (error ? reject(error) : resolve()));
  });
  const ws = new WebSocket(params.target, params.subprotocols);
  onTestFinished(() => ws.terminate());
  await once(ws, 'open');
  const counts = new Map<string, number>();
  const events = new EventEmitter();
  events.on('counter', (name: string, count: number) => counts.set(name, (counts.get(name) ?? 0) + count));
  await new Promise<void>((resolve) => processor.hello({ ws }, events, resolve));
  await eventually('events beyond a window', () => (counts.get('evenkeel.event') ?? 0) > 64, 60_000);
});
