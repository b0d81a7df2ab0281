import { type Client, connect } from '@evenkeel/client';
import type { Edge } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { RawClient } from '@evenkeel/testkit';
import { newSessionId, TicketSigner } from '@evenkeel/ticket';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startTestMesh } from '../support/mesh.js';
import { metric } from '../support/metric.js';

const patience = { timeout: 60_000, interval: 100 };
const slowClients = 6;
const quickClients = 6;
/** For each of the slow ones: more than the kernel and an edge keep for a client that does not read. */
const events = 70;
const big = 'x'.repeat(500_000);
/** Of memory, beside what an edge at rest has. */
const roomBytes = 90_000_000;

/** A socket that can stop reading. */
class Reader {
  readonly got: number[] = [];
  readonly client: Client;
  readonly #sockets: WebSocket[] = [];

  constructor(gateway: string, user: string) {
    const sockets = this.#sockets;
    class Noted extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        sockets.push(this);
      }
    }
    this.client = connect({ gateway, user, storage: false, WebSocket: Noted });
    onTestFinished(() => this.client.close());
    this.client.on('n', ({ data }) => {
      this.got.push((data as { n: number }).n);
    });
  }

  freeze(): void {
    this.#sockets.at(-1)?.pause();
  }

  thaw(): void {
    for (const socket of this.#sockets) if (socket.isPaused) socket.resume();
  }
}

const range = (to: number) => Array.from({ length: to }, (_, n) => n + 1);

const status = async ({ opsUrl }: Edge) =>
  (await (await fetch(`${opsUrl}/status`)).json()) as {
    state: string;
    cordonedBy?: string;
    rssBytes: number;
    sessions: number;
    memory?: { part: number };
  };

it('an edge near its memory limit takes nobody, sends slow clients elsewhere without a loss, and is back by itself', async () => {
  const longMs = '600000';
  const mesh = await startTestMesh({
    edges: 1,
    env: {
      EVENKEEL_WINDOW: '512',
      EVENKEEL_HIGH_WATERMARK_BYTES: '16000000',
      EVENKEEL_MAX_BUFFERED_BYTES: '32000000',
      // Nothing but their memory is to close them.
      EVENKEEL_HEARTBEAT_MS: longMs,
      EVENKEEL_ACK_TIMEOUT_MS: longMs,
      EVENKEEL_SLOW_CONSUMER_MS: longMs,
    },
  });
  const [roomy] = mesh.edges;
  if (roomy === undefined) throw new Error('one edge');
  const limitBytes = (await status(roomy)).rssBytes + roomBytes;
  // All come here for as long as it takes anybody.
  const narrow = await mesh.addEdge({
    EVENKEEL_MEMORY_LIMIT_BYTES: String(limitBytes),
    EVENKEEL_WEIGHT: '100',
  });
  const placed = async (user: string) => {
    const answer = await fetch(`${mesh.gatewayUrl}/gateway?user=${user}`);
    return ((await answer.json()) as { node?: string }).node;
  };
  await expect.poll(() => placed('first'), patience).toBe(narrow.node);
  expect(await metric(narrow, 'evenkeel_memory_limit_bytes', { of: 'process' })).toBe(limitBytes);

  const readers = (kind: string, count: number) =>
    range(count).map((n) => new Reader(mesh.gatewayUrl, `${kind}-${n}`));
  const [slow, quick] = [readers('slow', slowClients), readers('quick', quickClients)];
  await Promise.all([...slow, ...quick].map(({ client }) => client.ready()));
  for (const { client } of slow) expect(client.node).toBe(narrow.node);
  const publisher = await createPublisher({ name: 'memory', amqpUrl: mesh.urlFor('app-shop') });
  onTestFinished(() => publisher.close());

  for (const reader of slow) reader.freeze();
  for (const n of range(events))
    await Promise.all([
      ...range(slowClients).map((k) => publisher.toUser(`slow-${k}`, 'n', { n, big })),
      ...range(quickClients).map((k) => publisher.toUser(`quick-${k}`, 'n', { n })),
    ]);

  await expect
    .poll(() => status(narrow), patience)
    .toMatchObject({ state: 'cordoned', cordonedBy: 'memory' });
  expect(await (await fetch(`${narrow.opsUrl}/readyz`)).json()).toMatchObject({
    notes: { memory: expect.stringContaining('% of the memory limit of the process') },
  });
  expect(await metric(narrow, 'evenkeel_memory_low')).toBe(1);
  await expect.poll(() => placed('second'), patience).toBe(roomy.node);
  const ticket = new TicketSigner([mesh.secret]).issue({
    uid: 'third',
    sid: newSessionId(),
    node: narrow.node,
    epoch: Date.now(),
    expiresAt: Date.now() + 10_000,
  });
  await expect(RawClient.open(narrow.url, ticket)).rejects.toThrow('unavailable');
  expect(await metric(narrow, 'evenkeel_upgrades_refused_total', { reason: 'memory' })).toBe(1);

  await expect.poll(() => metric(narrow, 'evenkeel_memory_shed_total'), patience).toBeGreaterThan(0);
  for (const reader of slow) reader.thaw();
  for (const { got } of [...slow, ...quick]) await expect.poll(() => got.length, patience).toBe(events);
  for (const { got } of [...slow, ...quick]) expect(got).toEqual(range(events));
  expect(slow.filter(({ client }) => client.node === roomy.node).length).toBeGreaterThan(0);

  await expect
    .poll(() => status(narrow), { ...patience, timeout: 90_000 })
    .toMatchObject({ state: 'active' });
  expect(await metric(narrow, 'evenkeel_memory_low')).toBe(0);
  await expect.poll(() => placed('fourth'), patience).toBe(narrow.node);
});
