import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startControlledTestMesh } from '../support/mesh.js';
import { evenkeelOf } from '../support/npm-start.js';

async function join(mesh: Mesh, user: string) {
  const client = connect({ gateway: mesh.gatewayUrl, user, WebSocket, storage: false });
  onTestFinished(() => client.close());
  await client.ready();
  return client;
}

describe('the command line of a running mesh', () => {
  test('plan names what has no room, drain asks before most of the capacity goes, undo says that levelling is paused', async () => {
    const mesh = await startControlledTestMesh({ edges: 1 });
    const clients = await Promise.all(Array.from({ length: 5 }, (_, i) => join(mesh, `u${i}`)));
    await mesh.addEdge({ EVENKEEL_CAPACITY: '2' });
    await vi.waitFor(
      async () => expect((await evenkeelOf(mesh, 'status', '--state', 'active')).out).toContain('edge-2'),
      { timeout: 20_000, interval: 250 },
    );
    const planned = await evenkeelOf(mesh, 'plan', 'edge-1');
    expect(planned.status).toBe(0);
    expect(planned.out).toContain('no room: 3 more would have to go (3 of edge-1)');

    const unasked = await evenkeelOf(mesh, 'drain', 'edge-1', '--wait');
    expect(unasked.status).toBe(2);
    expect(unasked.err).toMatch(
      /edge-1: 100 % of the capacity of the active nodes; nothing was done: add --yes/,
    );
    expect(clients.map(({ node }) => node)).toEqual(Array(5).fill('edge-1'));

    const drained = await evenkeelOf(mesh, 'drain', 'edge-1', '--wait', '--yes');
    expect(drained.status).toBe(1);
    expect(drained.err).toContain('3 sessions stayed: no active node has room for 3 on edge-1');
    const left = clients.filter(({ node }) => node === 'edge-1');
    expect(left).toHaveLength(3);
    for (const { session } of left) expect(drained.err).toContain(session);

    expect((await evenkeelOf(mesh, 'uncordon', 'edge-1')).status).toBe(0);
    await vi.waitFor(
      async () => expect((await evenkeelOf(mesh, 'status', '--state', 'active')).out).toContain('edge-1'),
      { timeout: 20_000, interval: 250 },
    );
    const undone = await evenkeelOf(mesh, 'undo');
    expect(undone.status).toBe(0);
    expect(undone.out).toContain('Automatic rebalancing is paused now');
    expect((await evenkeelOf(mesh, 'status')).out).toMatch(
      /paused {2}automatic rebalancing by \S+ since .*undo of/,
    );
    await vi.waitFor(() => expect(clients.map(({ node }) => node)).toEqual(Array(5).fill('edge-1')), {
      timeout: 20_000,
      interval: 100,
    });
    const events = await evenkeelOf(mesh, 'events');
    expect(events.out).toContain('undo');
  });
});
