import { randomUUID } from 'node:crypto';
import { Broker, userOf } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import type { Mesh } from '@evenkeel/local';
import { edgeKey, exchanges, toUid } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import { expect, it, onTestFinished, vi } from 'vitest';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';
import { RefusingFront } from '../support/refusing-front.js';

const patience = { timeout: 20_000, interval: 20 };

async function world() {
  const front = await RefusingFront.start();
  const mesh = await startTestMesh({
    edges: 2,
    balancer: false,
    publicUrl: front.publicUrl,
    env: { EVENKEEL_REACHABILITY_URL: 'off' },
  });
  for (const edge of mesh.edges)
    front.edges.set(edge.node, edge.url.replace('ws:', 'http:').replace('/ws', ''));
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'numbers' });
  onTestFinished(() => publisher.close());
  return { front, mesh, publisher };
}

async function move(
  mesh: Mesh,
  user: string,
  session: string,
  from: string,
  publicUrl: string,
): Promise<string> {
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'mover', attempts: 5 });
  const to = mesh.edges.find(({ node }) => node !== from)?.node ?? '';
  await broker.publisher().publish(
    exchanges.control,
    edgeKey(from),
    JSON.stringify({
      command: 'reconnect',
      move: randomUUID(),
      to: { node: to, url: publicUrl.replace('{node}', to) },
      sessions: [`${toUid(user)}.${session}`],
      deadlineMs: 10_000,
    }),
    { userId: userOf(mesh.amqpUrl) },
  );
  await broker.close();
  return to;
}

it.each(['refused', 'unanswered'] as const)(
  'where upgrades are %s a client goes on by server-sent events, also in a move and after a loss',
  async (upgrades) => {
    const { front, mesh, publisher } = await world();
    front.upgrades = upgrades;
    const user = `blocked ${upgrades}`;
    const client = connect({
      gateway: mesh.gatewayUrl,
      user,
      backoff: { minMs: 10, maxMs: 50 },
    });
    onTestFinished(() => client.close());
    const events: unknown[] = [];
    const messages: unknown[] = [];
    const types: string[] = [];
    client.on('n', ({ data }) => void events.push(data));
    client.onStatus(({ type }) => void types.push(type));
    await vi.waitUntil(() => client.state === 'connected', patience);
    expect(front.refused).toBeGreaterThanOrEqual(2);
    await client.subscribe('sse.numbers', ({ data }) => void messages.push(data));
    const publish = async (from: number, to: number) => {
      for (const n of range(from, to)) {
        await publisher.toUser(user, 'n', n);
        await publisher.toTopic('sse.numbers', n);
      }
    };
    await publish(1, 50);
    const refusedBefore = front.refused;
    const from = client.node ?? '';
    const moving = move(mesh, user, client.session ?? '', from, front.publicUrl);
    await publish(51, 150);
    const to = await moving;
    await vi.waitUntil(() => client.node === to, patience);
    await publish(151, 200);
    await vi.waitUntil(() => events.length === 200 && messages.length === 200, patience);
    expect([events, messages]).toEqual([range(1, 200), range(1, 200)]);
    expect(types).toContain('moved');
    expect(types).not.toContain('gap');
    expect(types).not.toContain('disconnected');
    // It is not asked for WebSockets again that do not work.
    expect(front.refused).toBe(refusedBefore);
    expect(await client.request('nobody.here', {}).catch(({ code }: { code: string }) => code)).toBe(
      'no-service',
    );

    const lost = mesh.edges.find(({ node }) => node === client.node);
    await lost?.stop('SIGKILL');
    await publish(201, 210);
    await vi.waitUntil(() => events.length === 210, { timeout: 40_000, interval: 20 });
    expect(events).toEqual(range(1, 210));
    expect(front.refused).toBe(refusedBefore);
    await client.end();
  },
  120_000,
);
