import { type Client, type ClientError, connect, type Status } from '@evenkeel/client';
import { eventually, TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { EdgeMesh, type EdgeUnderTest, range, SessionUnderTest } from '../support/edge.js';

/** The SDK on an edge that takes little, and waits for little time. */

let mesh: EdgeMesh;
let edge: EdgeUnderTest;
let proxy: TcpProxy;

beforeAll(async () => {
  mesh = await EdgeMesh.open();
  const env = { FRAMES_PER_SECOND: '400', FRAMES_BURST: '100', ACK_TIMEOUT_MS: '2500', HEARTBEAT_MS: '400' };
  edge = await mesh.edge('e1', env);
  proxy = await TcpProxy.toUrl(edge.url);
});
afterAll(async () => {
  await proxy.close();
  await mesh.close();
});

function connected(name: string): { client: Client; session: SessionUnderTest; statuses: Status[] } {
  const session = new SessionUnderTest(name);
  const client = connect({
    WebSocket,
    backoff: { minMs: 5, maxMs: 20 },
    placement: async () => ({
      url: proxy.urlFor(edge.url),
      node: edge.node,
      ticket: session.ticket(edge),
      session: session.sid,
      expiresInMs: 30_000,
    }),
  });
  onTestFinished(() => client.close());
  const statuses: Status[] = [];
  client.onStatus((status) => statuses.push(status));
  return { client, session, statuses };
}

/** The codes that an edge has answered with; nobody serves here. */
async function answersTo(client: Client, count: number): Promise<string[]> {
  const one = (n: number) => client.publish('nobody', n).catch((error: ClientError) => error.code);
  return [...new Set(await Promise.all(range(1, count).map(one)))].map(String);
}

describe('a client', () => {
  it('that has a thousand calls to make before it is connected, and again after a loss, is refused none of them', async () => {
    const { client, statuses } = connected('many-calls');
    expect(await answersTo(client, 1_000)).toEqual(['no-service']);
    proxy.cut();
    await eventually('the loss', () => statuses.some(({ type }) => type === 'disconnected'));
    expect(await answersTo(client, 1_000)).toEqual(['no-service']);
  });

  it('whose handlers are slow keeps its socket: that gets on, and also during one that takes longer than the edge waits', async () => {
    const { client, session, statuses } = connected('slow-handlers');
    const handled: unknown[] = [];
    const work = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
    client.on('n', async ({ data }) => {
      await work(data === 5 ? 4_000 : 800);
      handled.push(data);
    });
    await client.ready();
    await mesh.numbers(session, 1, 5);
    await eventually('all', () => handled.length === 5, 30_000);
    expect(handled).toEqual(range(1, 5));
    expect(statuses.map(({ type }) => type)).toEqual(['connecting', 'connected']);
  });
});
