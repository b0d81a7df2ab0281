import { execFile } from 'node:child_process';
import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { RawClient } from '@evenkeel/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { startControlledTestMesh, startTestMesh } from '../support/mesh.js';
import { cli } from '../support/npm-start.js';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `evenkeel` against the mesh, with nobody to ask. */
function evenkeel({ amqpUrl }: Mesh, ...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const all = [cli, ...args, '--amqp-url', amqpUrl];
    execFile(process.execPath, all, { timeout: 240_000 }, (error, out, err) =>
      resolve({ status: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function json(mesh: Mesh, ...args: string[]): Promise<unknown> {
  return JSON.parse((await evenkeel(mesh, ...args, '--json')).out);
}

async function join(mesh: Mesh, user: string) {
  const client = connect({ gateway: mesh.gatewayUrl, user, WebSocket, storage: false });
  onTestFinished(() => client.close());
  await client.ready();
  return client;
}

/** A client that acknowledges all that comes and never does what it is asked for. */
async function joinStubborn(mesh: Mesh, user: string) {
  const answer = await fetch(`${mesh.gatewayUrl}/gateway?user=${user}`);
  const { url, ticket, node } = (await answer.json()) as { url: string; ticket: string; node: string };
  const client = await RawClient.open(url, ticket);
  onTestFinished(() => client.terminate());
  client.send({ t: 'hello' });
  const { session } = await client.frame('welcome');
  return { node, name: `${user}.${session}` };
}

describe('the command line of a running mesh', () => {
  test('drain --wait moves whom it can, then exits 1 and names the client that stays, and why', async () => {
    const mesh = await startTestMesh({ edges: 2, env: { EVENKEEL_MODE: 'manual' } });
    const stubborn = await joinStubborn(mesh, 'stays');
    await Promise.all(Array.from({ length: 4 }, (_, i) => join(mesh, `u${i}`)));
    const drained = await evenkeel(mesh, 'drain', stubborn.node, '--wait');
    expect(drained.status).toBe(1);
    expect(drained.err).toContain('1 session stayed: 1 did not move, however often they were asked');
    expect(drained.err).toContain(`on ${stubborn.node}: ${stubborn.name}`);
    expect(await json(mesh, 'node', stubborn.node)).toMatchObject({
      node: { node: stubborn.node, sessions: 1, drain: { state: 'stayed' } },
    });
    expect(await json(mesh, 'session', stubborn.name)).toMatchObject({
      user: 'stays',
      node: stubborn.node,
      isAttached: true,
    });
  });

  test('plan names what has no room, drain asks before most of the capacity goes, undo says that levelling is paused', async () => {
    const mesh = await startControlledTestMesh({ edges: 1 });
    const clients = await Promise.all(Array.from({ length: 5 }, (_, i) => join(mesh, `u${i}`)));
    await mesh.addEdge({ EVENKEEL_CAPACITY: '2' });
    await vi.waitFor(
      async () => expect((await evenkeel(mesh, 'status', '--state', 'active')).out).toContain('edge-2'),
      { timeout: 20_000, interval: 250 },
    );
    const planned = await evenkeel(mesh, 'plan', 'edge-1');
    expect(planned.status).toBe(0);
    expect(planned.out).toContain('no room: 3 more would have to go (3 of edge-1)');

    const unasked = await evenkeel(mesh, 'drain', 'edge-1', '--wait');
    expect(unasked.status).toBe(2);
    expect(unasked.err).toMatch(
      /edge-1: 100 % of the capacity of the active nodes; nothing was done: add --yes/,
    );
    expect(clients.map(({ node }) => node)).toEqual(Array(5).fill('edge-1'));

    const drained = await evenkeel(mesh, 'drain', 'edge-1', '--wait', '--yes');
    expect(drained.status).toBe(1);
    expect(drained.err).toContain('3 sessions stayed: no active node has room for 3 on edge-1');
    const left = clients.filter(({ node }) => node === 'edge-1');
    expect(left).toHaveLength(3);
    for (const { session } of left) expect(drained.err).toContain(session);

    expect((await evenkeel(mesh, 'uncordon', 'edge-1')).status).toBe(0);
    await vi.waitFor(
      async () => expect((await evenkeel(mesh, 'status', '--state', 'active')).out).toContain('edge-1'),
      { timeout: 20_000, interval: 250 },
    );
    const undone = await evenkeel(mesh, 'undo');
    expect(undone.status).toBe(0);
    expect(undone.out).toContain('Automatic rebalancing is paused now');
    expect((await evenkeel(mesh, 'status')).out).toMatch(
      /paused {2}automatic rebalancing by \S+ since .*undo of/,
    );
    await vi.waitFor(() => expect(clients.map(({ node }) => node)).toEqual(Array(5).fill('edge-1')), {
      timeout: 20_000,
      interval: 100,
    });
    const events = await evenkeel(mesh, 'events');
    expect(events.out).toContain('undo');
  });
});
