import { connect } from '@evenkeel/client';
import { createOperator } from 'evenkeel';
import { expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { HostClocks } from '../support/host-clocks.js';
import { startTestMesh } from '../support/mesh.js';

function join(gateway: string, user: string) {
  const client = connect({ gateway, user, WebSocket, storage: false });
  onTestFinished(() => client.close());
  return client;
}

test('an edge that starts with its clock 40 s ahead keeps nobody out, is avoided and named', async () => {
  const clocks = new HostClocks();
  clocks.set('edge-2', 40_000);
  const mesh = await startTestMesh({ edges: 3 });
  const operator = await createOperator({ amqpUrl: mesh.amqpUrl });
  onTestFinished(() => operator.close());
  const clients = Array.from({ length: 30 }, (_, i) => join(mesh.gatewayUrl, `u${i}`));
  await Promise.all(clients.map((client) => client.ready()));
  expect(clients.filter(({ node }) => node === 'edge-2')).toEqual([]);
  const clocksOff = async () => (await operator.status()).nodes.filter((n) => n.isClockOff === true);
  const off = await vi.waitUntil(
    async () => {
      const found = await clocksOff();
      return found.length > 0 && found;
    },
    { timeout: 15_000, interval: 200 },
  );
  expect(off.map((n) => n.node)).toEqual(['edge-2']);
  expect(off[0]?.clockAheadMs).toBeGreaterThan(38_000);

  // The others go: it is all there is, and is taken.
  for (const node of ['edge-1', 'edge-3']) await operator.drain({ node });
  await vi.waitFor(() => expect(clients.map(({ node }) => node)).toEqual(Array(30).fill('edge-2')), {
    timeout: 20_000,
    interval: 250,
  });
  await join(mesh.gatewayUrl, 'late').ready();
});
