import { Broker } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import type { Edge } from '@evenkeel/local';
import { sleep } from '@evenkeel/pace';
import { sessionQueue, toUid } from '@evenkeel/protocol';
import { eventually, RawClient, TcpProxy } from '@evenkeel/testkit';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { SlowLoops } from '../support/slow-loop.js';
import { WatchedMesh } from '../support/watched-mesh.js';

let world: WatchedMesh;
let loops: SlowLoops;

beforeAll(async () => {
  loops = new SlowLoops();
  for (const [name, value] of Object.entries(loops.env)) vi.stubEnv(name, value);
  world = await WatchedMesh.start({
    env: {
      EVENKEEL_CAPACITY: '20',
      EVENKEEL_MAX_TOPICS: '2',
      EVENKEEL_ACK_TIMEOUT_MS: '3000',
      EVENKEEL_MOVE_DEADLINE_MS: '1000',
    },
  });
  return async () => {
    await world.stop();
    vi.unstubAllEnvs();
    loops.remove();
  };
});

/** The first edge, or the second. */
function edge(index: 0 | 1): Edge {
  const found = world.mesh.edges[index];
  if (found === undefined) throw new Error(`there is no edge ${index}`);
  return found;
}

/** One more edge, for the running test. */
async function anotherEdge(env: Record<string, string> = {}): Promise<Edge> {
  const added = await world.mesh.addEdge(env);
  onTestFinished(async () => {
    await world.mesh.removeEdge(added);
    world.prometheus.lookAgain();
  });
  world.prometheus.lookAgain();
  return added;
}

test('a mesh at rest, with clients and events, fires no alert', async () => {
  const { mesh, prometheus, publisher } = world;
  const client = connect({ gateway: mesh.gatewayUrl, user: 'calm', storage: false, WebSocket });
  onTestFinished(() => client.close());
  let got = 0;
  client.on('tick', () => {
    got += 1;
  });
  await client.ready();
  await eventually(
    'a hundred events have come',
    async () => {
      await publisher.toUser('calm', 'tick', {});
      await sleep(100);
      expect(await prometheus.firing()).toEqual([]);
      return got >= 100;
    },
    60_000,
  );
});

describe('processes', () => {
  test('EvenkeelTargetDown fires when a process is killed, and rests when it is back', async () => {
    const { gateway } = world.mesh;
    await gateway.kill();
    onTestFinished(async () => void (gateway.isRunning || (await gateway.start())));
    const { instance } = await world.prometheus.fires('EvenkeelTargetDown');
    expect(instance).toBe(new URL(gateway.opsUrl).host);
    await gateway.start();
    await world.prometheus.rests('EvenkeelTargetDown');
  });

  test('EvenkeelNoLeader fires when the only balancer is killed, and rests when one leads', async () => {
    const [balancer] = world.mesh.balancers;
    await balancer?.kill();
    onTestFinished(async () => void (balancer?.isRunning || (await balancer?.start())));
    await world.prometheus.fires('EvenkeelNoLeader');
    await balancer?.start();
    await world.prometheus.rests('EvenkeelNoLeader');
  });

  test('EvenkeelRestarting fires when a process ends again and again', async () => {
    const { gateway } = world.mesh;
    const { instance } = await world.prometheus.fires('EvenkeelRestarting', async () => {
      await gateway.kill();
      await gateway.start();
    });
    expect(instance).toBe(new URL(gateway.opsUrl).host);
  });

  test('EvenkeelNodesSuspect fires when an edge stands still, and rests when it goes on', async () => {
    edge(1).pause();
    onTestFinished(() => edge(1).resume());
    await world.prometheus.fires('EvenkeelNodesSuspect');
    edge(1).resume();
    await world.prometheus.rests('EvenkeelNodesSuspect');
  });

  test('EvenkeelLoopLag fires when an event loop is slow', async () => {
    loops.set(edge(0).node, 350);
    onTestFinished(() => loops.set(edge(0).node, 0));
    expect(await world.prometheus.fires('EvenkeelLoopLag')).toMatchObject({ node: edge(0).node });
  });
});

describe('clients', () => {
  test('EvenkeelClientsTurnedAway fires when no edge takes clients, and rests when one does', async () => {
    const { operator, prometheus } = world;
    const nodes = world.mesh.edges.map(({ node }) => node);
    await operator.cordon({ nodes });
    onTestFinished(async () => void (await operator.uncordon({ nodes })));
    const alert = await prometheus.fires('EvenkeelClientsTurnedAway', () => world.ask('away'));
    expect(alert).toMatchObject({ reason: 'none' });
    await operator.uncordon({ nodes });
    await prometheus.rests('EvenkeelClientsTurnedAway');
  });

  test('EvenkeelEdgeUnreachable fires when a public URL leads nowhere', async () => {
    const { node } = await anotherEdge({ EVENKEEL_PUBLIC_URL: 'ws://127.0.0.1:9/ws' });
    expect(await world.prometheus.fires('EvenkeelEdgeUnreachable')).toMatchObject({ node });
  });

  test('EvenkeelMemoryLow fires when an edge is near its memory limit', async () => {
    const { node } = await anotherEdge({ EVENKEEL_MEMORY_LIMIT_BYTES: '1000000' });
    expect(await world.prometheus.fires('EvenkeelMemoryLow')).toMatchObject({ node });
  });

  test('EvenkeelTicketsRefused fires when an edge has another secret than the gateways', async () => {
    const { node, url } = await anotherEdge({ EVENKEEL_SECRET: 'not-the-secret-of-the-gateways' });
    const { ticket } = (await (await world.ask('forger')).json()) as { ticket: string };
    const alert = await world.prometheus.fires('EvenkeelTicketsRefused', async () => {
      await expect(RawClient.open(url, ticket)).rejects.toThrow('ticket-forged');
    });
    expect(alert).toMatchObject({ node, reason: 'forged' });
  });

  test('EvenkeelLoginsRefused fires when clients bring no credentials', async () => {
    const alert = await world.prometheus.fires('EvenkeelLoginsRefused', async () => {
      expect((await fetch(`${world.mesh.gatewayUrl}/gateway`)).status).toBe(401);
    });
    expect(alert).toMatchObject({ code: 'no-credentials' });
  });

  test('EvenkeelLimitHit fires when a client subscribes to more topics than it may', async () => {
    const client = await world.client('greedy');
    let n = 0;
    const alert = await world.prometheus.fires('EvenkeelLimitHit', async () => {
      n += 1;
      client.send({ t: 'subscribe', id: n, topic: `greedy.${n}` });
      await client.pinged();
    });
    expect(alert).toMatchObject({ limit: 'maxTopics' });
  });

  test('EvenkeelAlmostFull fires when four fifths of the capacity are taken', async () => {
    await world.clients(34, 'full');
    await world.prometheus.fires('EvenkeelAlmostFull');
  });
});

describe('events', () => {
  test('EvenkeelClientsSlow fires when clients acknowledge nothing', async () => {
    const { prometheus, publisher } = world;
    const alert = await prometheus.fires('EvenkeelClientsSlow', async () => {
      const clients = await world.clients(4, 'slow', { acks: false });
      for (let n = 0; n < clients.length; n++) await publisher.toUser(`slow-${n}`, 'tick', {});
      await Promise.all(clients.map(({ closed }) => closed));
    });
    expect(alert).toMatchObject({ code: '4004' });
  });

  test('EvenkeelDeliverySlow fires when what RabbitMQ sends an edge comes late', async () => {
    const { mesh, prometheus, publisher } = world;
    const wire = await TcpProxy.toUrl(mesh.urlFor('edge'));
    onTestFinished(() => wire.close());
    const { node } = await anotherEdge({ EVENKEEL_AMQP_URL: wire.urlFor(mesh.urlFor('edge')) });
    const clients = Array.from({ length: 8 }, (_, n) =>
      connect({ gateway: mesh.gatewayUrl, user: `late-${n}`, storage: false, WebSocket }),
    );
    onTestFinished(async () => void (await Promise.all(clients.map((client) => client.close()))));
    await Promise.all(clients.map((client) => client.ready()));
    const users = clients.flatMap((client, n) => (client.node === node ? [`late-${n}`] : []));
    expect(users).not.toEqual([]);
    await prometheus.fires('EvenkeelDeliverySlow', async () => {
      wire.pauseAnswers();
      for (let n = 0; n < 16; n++) for (const user of users) await publisher.toUser(user, 'tick', {});
      await sleep(1_500);
      wire.resume();
      await sleep(200);
    });
  });

  test('EvenkeelGaps fires when the queues of sessions are deleted', async () => {
    const { mesh, prometheus } = world;
    const clients = await world.clients(10, 'robbed');
    const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'thief', attempts: 1 });
    onTestFinished(() => broker.close());
    const topology = broker.topology();
    const sessions = await Promise.all(
      clients.map(async (client, n) => {
        const { session } = await client.frame('welcome');
        return sessionQueue(toUid(`robbed-${n}`), String(session));
      }),
    );
    for (const queue of sessions) await topology.deleteQueue(queue);
    expect(await prometheus.fires('EvenkeelGaps')).toMatchObject({ reason: 'session-expired' });
  });
});

describe('levelling', () => {
  test('EvenkeelUneven fires when nothing levels the edges', async () => {
    const { operator, prometheus } = world;
    await world.clients(20, 'uneven');
    await operator.pause();
    onTestFinished(async () => void (await operator.resume()));
    await anotherEdge();
    await prometheus.fires('EvenkeelUneven');
  });

  test('EvenkeelMovesFailing fires when clients do not move', async () => {
    const { operator, prometheus } = world;
    const { node } = edge(0);
    await world.clients(10, 'stubborn');
    await operator.drain({ node });
    onTestFinished(async () => void (await operator.uncordon({ node })));
    await prometheus.fires('EvenkeelMovesFailing');
  });
});
