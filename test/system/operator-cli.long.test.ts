import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { RawClient } from '@evenkeel/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { startTestMesh } from '../support/mesh.js';
import { evenkeelOf } from '../support/npm-start.js';

async function json(mesh: Mesh, ...args: string[]): Promise<unknown> {
  return JSON.parse((await evenkeelOf(mesh, ...args, '--json')).out);
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

test('drain --wait moves whom it can, then exits 1 and names the client that stays, and why', async () => {
  const mesh = await startTestMesh({ edges: 2, env: { EVENKEEL_MODE: 'manual' } });
  const stubborn = await joinStubborn(mesh, 'stays');
  await Promise.all(Array.from({ length: 4 }, (_, i) => join(mesh, `u${i}`)));
  const drained = await evenkeelOf(mesh, 'drain', stubborn.node, '--wait');
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
