import { setTimeout as sleep } from 'node:timers/promises';
import { Broker, type Publisher } from '@evenkeel/broker';
import { build } from 'hdr-histogram-js';
import { WebSocket } from 'ws';
import { LightClient } from '../fleet/light-client.js';
import { until } from '../fleet/until.js';
import { Arrivals, described, onceEach } from './arrivals.js';
import type { MeshUnderTest } from './mesh.js';

/** Figures of one run by name; what is better when smaller ends in `Ms` or `Bytes`. */
export type Figures = Readonly<Record<string, number>>;

/** One kind of work. @throws Error when something was not delivered, or a client fell out. */
export type Work = (mesh: MeshUnderTest) => Promise<Figures>;

const events = 'mesh.events';
const control = 'mesh.control';
const patienceMs = 90_000;
/** After a crowd has come, ms. */
const settleMs = 3_000;
const properties = { contentType: 'application/json' };

/** Runs `use` with a publisher of its own. */
async function publishing<T>(mesh: MeshUnderTest, window: number, use: (publisher: Publisher) => Promise<T>) {
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'compare', attempts: 5 });
  try {
    return await use(broker.publisher({ window, maxQueued: 1_000_000, timeoutMs: patienceMs }));
  } finally {
    await broker.close();
  }
}

async function crowd(
  mesh: MeshUnderTest,
  count: number,
  optionsOf: (
    n: number,
  ) => Omit<ConstructorParameters<typeof LightClient>[0], 'gatewayUrl' | 'user'> = () => ({}),
): Promise<LightClient[]> {
  const clients = Array.from({ length: count }, (_, n) => {
    const user = `u${n}`;
    return new LightClient({
      ...optionsOf(n),
      gatewayUrl: mesh.gatewayUrl,
      user,
      token: mesh.tokenOf?.(user),
    });
  });
  await inParallel(64, clients, (client) => client.connect());
  return clients;
}

async function inParallel<T>(limit: number, items: readonly T[], each: (item: T) => Promise<unknown>) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await each(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

function finish(clients: readonly LightClient[]): void {
  const failed = clients.find(({ failure }) => failure !== undefined);
  if (failed) throw new Error(`${failed.session}: ${failed.failure}`);
  for (const client of clients) client.close();
}

async function untilDone(isDone: () => boolean, what: () => string): Promise<void> {
  if (!(await until(patienceMs, 5, isDone)))
    throw new Error(`not done after ${patienceMs / 1_000} s: ${what()}`);
}

const perSecond = (count: number, sinceMs: number) => (count * 1_000) / (performance.now() - sinceMs);

/** Events to users: as fast as they go, then at a steady pace for the delays. */
const directed: Work = async (mesh) => {
  const [sessions, total, pace, paced] = [200, 24_000, 500, 2_000];
  const arrivals = new Arrivals();
  const delays = build({ numberOfSignificantValueDigits: 3 });
  const onData = (data: unknown) => {
    const { n, at } = data as { n: number; at: number };
    arrivals.came(n);
    if (at > 0) delays.recordValue(Math.max(1, Math.round((performance.now() - at) * 1_000)));
  };
  const clients = await crowd(mesh, sessions, () => ({ onData }));
  return await publishing(mesh, 1_024, async (publisher) => {
    const send = (n: number, at: number) =>
      publisher.publish(events, `user.u${n % sessions}.compared`, JSON.stringify({ n, at }), {
        ...properties,
        messageId: `${at}-${n}`,
      });
    const begunAtMs = performance.now();
    await Promise.all(Array.from({ length: total }, (_, n) => send(n, 0)));
    await untilDone(
      () => arrivals.count >= total,
      () => described([arrivals], total),
    );
    const eventsPerSecond = perSecond(total, begunAtMs);
    const startMs = performance.now();
    const sent: Promise<unknown>[] = [];
    for (let n = 0; n < paced; ) {
      const due = Math.min(paced, Math.floor(((performance.now() - startMs) * pace) / 1_000));
      for (; n < due; n++) sent.push(send(total + n, performance.now()));
      await sleep(2);
    }
    await Promise.all(sent);
    await untilDone(
      () => arrivals.count >= total + paced,
      () => described([arrivals], total + paced),
    );
    onceEach([arrivals]);
    finish(clients);
    const atMs = (percentile: number) => delays.getValueAtPercentile(percentile) / 1_000;
    return { eventsPerSecond, p50Ms: atMs(50), p99Ms: atMs(99) };
  });
};

/** What is used of either tree's client SDK. */
interface Sdk {
  connect(options: { gateway: string; user: string; WebSocket: unknown }): {
    ready(): Promise<void>;
    on(name: string, handler: (event: { data: unknown }) => void): unknown;
    close(): Promise<void>;
  };
}

/** Events to users whose clients are the tree's own SDK, in this process. */
const sdk: Work = async (mesh) => {
  const [sessions, total] = [50, 120_000];
  const { connect } = (await import(mesh.clientModule)) as Sdk;
  const arrivals = new Arrivals();
  const clients = Array.from({ length: sessions }, (_, n) => {
    const client = connect({ gateway: mesh.gatewayUrl, user: `u${n}`, WebSocket });
    client.on('compared', ({ data }) => arrivals.came((data as { n: number }).n));
    return client;
  });
  await Promise.all(clients.map((client) => client.ready()));
  try {
    return await publishing(mesh, 1_024, async (publisher) => {
      const begunAtMs = performance.now();
      await Promise.all(
        Array.from({ length: total }, (_, n) =>
          publisher.publish(events, `user.u${n % sessions}.compared`, JSON.stringify({ n }), {
            ...properties,
            messageId: `s-${n}`,
          }),
        ),
      );
      await untilDone(
        () => arrivals.count >= total,
        () => described([arrivals], total),
      );
      onceEach([arrivals]);
      return { eventsPerSecond: perSecond(total, begunAtMs) };
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
};

/** One topic, many subscribers. */
const fanout: Work = async (mesh) => {
  const [subscribers, total] = [400, 800];
  const arrivals = Array.from({ length: subscribers }, () => new Arrivals());
  const clients = await crowd(mesh, subscribers, (n) => ({
    topics: ['compared'],
    onData: (data) => arrivals[n]?.came((data as { n: number }).n),
  }));
  // What edges put off while a crowd comes in is no part of it.
  await sleep(settleMs);
  return await publishing(mesh, 16, async (publisher) => {
    const begunAtMs = performance.now();
    const body = (n: number) => JSON.stringify({ n, text: 'x'.repeat(100) });
    await Promise.all(
      Array.from({ length: total }, (_, n) =>
        publisher.publish(events, 'topic.compared', body(n), { ...properties, messageId: `m-${n}` }),
      ),
    );
    await untilDone(
      () => arrivals.every(({ count }) => count >= total),
      () => described(arrivals, total),
    );
    const messagesPerSecond = perSecond(total * subscribers, begunAtMs);
    onceEach(arrivals);
    finish(clients);
    return { messagesPerSecond };
  });
};

/** New sessions, as fast as they attach. */
const attach: Work = async (mesh) => {
  const sessions = 1_500;
  const begunAtMs = performance.now();
  const clients = await crowd(mesh, sessions);
  const sessionsPerSecond = perSecond(sessions, begunAtMs);
  finish(clients);
  return { sessionsPerSecond };
};

/** What a session that is attached and has nothing to do costs the broker. */
const memory: Work = async (mesh) => {
  const sessions = 2_000;
  const before = await mesh.brokerBytes();
  const clients = await crowd(mesh, sessions);
  // Idle queues go to sleep, and give back what they needed to begin.
  await sleep(settleMs);
  const sessionBytes = ((await mesh.brokerBytes()) - before) / sessions;
  finish(clients);
  return { sessionBytes };
};

/** Sessions moved to and fro between two edges, under events. */
const move: Work = async (mesh) => {
  const [sessions, total, underWayAtMost, batch, eventsPerSecond] = [400, 6_000, 120, 20, 300];
  let [moves, asked] = [0, 0];
  const ready: LightClient[] = [];
  // What was not acknowledged before a move may come again: whoever reads it drops it by its id.
  const arrivals = new Arrivals();
  const sent: Promise<unknown>[] = [];
  const clients = await crowd(mesh, sessions, () => ({
    onMoved: (client) => {
      moves += 1;
      ready.push(client);
    },
    onData: (data) => arrivals.came((data as { n: number }).n),
  }));
  ready.push(...clients);
  // What edges put off while a crowd comes in is no part of a move.
  await sleep(settleMs);
  return await publishing(mesh, 256, async (publisher) => {
    const background = setInterval(() => {
      for (let n = 0; n < eventsPerSecond / 100; n++) {
        const user = Math.floor(Math.random() * sessions);
        const body = JSON.stringify({ n: sent.length });
        const confirmed = publisher.publish(events, `user.u${user}.compared`, body, properties);
        // Seen to in the end.
        confirmed.catch(() => {});
        sent.push(confirmed);
      }
    }, 10);
    try {
      const begunAtMs = performance.now();
      await untilDone(
        () => {
          while (asked < total && asked - moves <= underWayAtMost - batch && ready.length >= batch) {
            asked += ask(mesh, publisher, ready.splice(0, batch), asked);
          }
          return moves >= total || clients.some(({ failure }) => failure !== undefined);
        },
        () => `${moves} of ${total} moves`,
      );
      const movesPerSecond = perSecond(moves, begunAtMs);
      clearInterval(background);
      await Promise.all(sent);
      await untilDone(
        () => arrivals.count >= sent.length || clients.some(({ failure }) => failure !== undefined),
        () => described([arrivals], sent.length),
      );
      finish(clients);
      return { movesPerSecond };
    } finally {
      clearInterval(background);
    }
  });
};

/** Commands each edge to send those of `clients` that it has to the other. Returns how many. */
function ask(mesh: MeshUnderTest, publisher: Publisher, clients: readonly LightClient[], n: number): number {
  for (const [index, from] of mesh.edges.entries()) {
    const to = mesh.edges[1 - index];
    const here = clients.filter(({ node }) => node === from.node).map(({ session }) => session);
    if (here.length === 0) continue;
    const command = {
      command: 'reconnect',
      move: `c.${n}.${index}`,
      to,
      sessions: here,
      ratePerSecond: 100_000,
    };
    publisher
      .publish(control, `edge.${from.node}`, JSON.stringify(command), { ...properties, expiration: 30_000 })
      .catch(() => {});
  }
  return clients.length;
}

export const works: Readonly<Record<string, Work>> = { directed, fanout, sdk, attach, memory, move };
