import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type Subscription } from '@evenkeel/client';
import {
  type brokerChoice,
  type Edge,
  type Mesh,
  type PrivateBroker,
  startMesh,
  startPrivateBroker,
} from '@evenkeel/local';
import { clock } from '../fleet/clock.js';
import { startFleet } from '../fleet/fleet.js';
import { ThinSocket } from '../fleet/thin-socket.js';
import { topicName } from '../fleet/topic-load.js';
import { until } from '../fleet/until.js';
import { metricsOf, usedBy, usedByBroker } from '../mesh/used.js';

export interface CostOptions {
  readonly members: number;
  readonly edges: number;
  /** Of them together, a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly broker: ReturnType<typeof brokerChoice>;
  readonly say: (text: string) => void;
  readonly atEnd: (cleanUp: () => Promise<unknown>) => void;
}

/** Over a stretch of time, of an edge on average. */
export interface Stretch {
  readonly edgeCores: number;
  readonly brokerCores: number;
  readonly sentPerSecond: number;
  readonly sentBytesPerSecond: number;
  readonly heardPerSecond: number;
}

export interface Cost {
  /** Joins and leaves that were answered, a second. */
  readonly changesPerSecond: number;
  readonly edgeMiB: number;
  readonly brokerMiB: number;
  readonly rest: Stretch;
  readonly work: Stretch;
  /** Where presence is kept. */
  readonly watchers?: Watchers;
}

export interface Watchers {
  /** From `connect` until it has the number of members: median and longest, ms. */
  readonly newcomerMs: readonly [median: number, max: number];
  /** A question of who is connected already. */
  readonly questionMs: readonly [median: number, max: number];
  /** Bytes that edges send when one more edge starts, beside what they send anyway. */
  readonly snapshotBytes: number;
}

const topic = topicName(0);
const [namespace = ''] = topic.split('.');
/** Each joins or leaves every two seconds at a hundred a second. */
const comersPerChange = 2;
const calmMs = 5_000;
const connectTimeoutMs = 180_000;
const countTimeoutMs = 60_000;
const newcomers = 20;

/** What a topic with so many members costs, with presence or without it. */
export async function costOf(isKept: boolean, options: CostOptions): Promise<Cost> {
  const { members, edges, rate, seconds, say, atEnd } = options;
  const broker = await startPrivateBroker({ choice: options.broker });
  atEnd(() => broker.stop());
  const namespaces = { [namespace]: { subscribe: 'anyone', presence: isKept } };
  const mesh = await startMesh({
    edges,
    amqpUrl: broker.amqpUrl,
    urlFor: broker.urlFor,
    env: {
      EVENKEEL_MODE: 'manual',
      EVENKEEL_LOG_LEVEL: 'warn',
      EVENKEEL_NAMESPACES: JSON.stringify({ namespaces }),
    },
  });
  atEnd(() => mesh.stop());
  say(`${members} members of one topic ${isKept ? 'with' : 'without'} presence`);
  const fleet = await startFleet({
    gatewayUrl: mesh.gatewayUrl,
    clients: members,
    workers: Math.ceil(members / 4_000),
    users: (n) => `member-${n}`,
    topics: Array.from({ length: members }, () => [0]),
  });
  atEnd(() => fleet.stop());
  await fleet.connected(connectTimeoutMs);
  const dial = (user: string): Client => {
    const client = connect({
      gateway: mesh.gatewayUrl,
      user,
      WebSocket: ThinSocket,
      transports: ['websocket'],
      storage: false,
    });
    atEnd(() => client.close());
    return client;
  };
  const comers = Array.from({ length: rate * comersPerChange }, (_, n) => new Comer(dial(`comer-${n}`)));
  await Promise.all(comers.map((comer) => comer.ready()));
  // One on each edge is told who is there, as far as the gateway spreads them.
  if (isKept)
    for (const n of mesh.edges.keys())
      dial(`watcher-${n}`)
        .topic(topic)
        .on('presence', () => {});
  await sleep(calmMs);

  say('at rest');
  const look = () => lookAt(mesh, broker);
  const restFrom = await look();
  await sleep(seconds * 1_000);
  const restTo = await look();
  say(`${rate} joins and leaves a second`);
  let changes = 0;
  let next = 0;
  const changing = setInterval(() => {
    const comer = comers[next++ % comers.length];
    void comer?.change().then((isDone) => {
      changes += isDone ? 1 : 0;
    });
  }, 1_000 / rate);
  await sleep(2_000);
  const [workFrom, changesBefore] = [await look(), changes];
  await sleep(seconds * 1_000);
  const workTo = await look();
  const changesPerSecond = (changes - changesBefore) / ((workTo.atMs - workFrom.atMs) / 1_000);
  const watchers = isKept ? await watching(mesh, dial, members) : undefined;
  clearInterval(changing);
  return {
    changesPerSecond: Math.round(changesPerSecond),
    edgeMiB: Math.round(restTo.edgeBytes / edges / 2 ** 20),
    brokerMiB: Math.round(restTo.brokerBytes / 2 ** 20),
    rest: stretch(restFrom, restTo, edges),
    work: stretch(workFrom, workTo, edges),
    ...(watchers && { watchers }),
  };
}

/** How soon one who comes now has the number of members, and what a new edge makes the others send. */
async function watching(mesh: Mesh, dial: (user: string) => Client, members: number): Promise<Watchers> {
  const newcomerMs: number[] = [];
  const questionMs: number[] = [];
  for (let n = 0; n < newcomers; n += 1) {
    const beganMs = clock();
    const client = dial(`newcomer-${n}`);
    let count = 0;
    client.topic(topic).on('presence', (news) => {
      count = news.count;
    });
    if (!(await until(countTimeoutMs, 1, () => count >= members))) throw new Error(`${count} of ${members}`);
    newcomerMs.push(clock() - beganMs);
    const askedMs = clock();
    await client.presence(topic);
    questionMs.push(clock() - askedMs);
    await client.end();
  }
  const edges = [...mesh.edges];
  const beforeBytes = await sentBytes(edges);
  const beganMs = clock();
  await sleep(calmMs);
  const usualBytes = ((await sentBytes(edges)) - beforeBytes) / (clock() - beganMs);
  const [startBytes, startMs] = [await sentBytes(edges), clock()];
  await mesh.addEdge();
  await sleep(calmMs);
  const snapshotBytes = (await sentBytes(edges)) - startBytes - usualBytes * (clock() - startMs);
  return {
    newcomerMs: spreadOf(newcomerMs),
    questionMs: spreadOf(questionMs),
    snapshotBytes: Math.round(Math.max(0, snapshotBytes)),
  };
}

/** A user who joins and leaves by turns. */
class Comer {
  readonly #client: Client;
  #subscription: Subscription | undefined;
  #isBusy = false;

  constructor(client: Client) {
    this.#client = client;
  }

  ready(): Promise<void> {
    return this.#client.ready({ timeoutMs: connectTimeoutMs });
  }

  /** Whether it was done. */
  async change(): Promise<boolean> {
    if (this.#isBusy) return false;
    this.#isBusy = true;
    try {
      const subscription = this.#subscription;
      this.#subscription = undefined;
      if (subscription === undefined) this.#subscription = await this.#client.subscribe(topic, () => {});
      else await subscription.unsubscribe();
      return true;
    } catch {
      return false;
    } finally {
      this.#isBusy = false;
    }
  }
}

interface Look {
  readonly atMs: number;
  readonly edgeBytes: number;
  readonly edgeCpuSeconds: number;
  readonly brokerBytes: number;
  readonly brokerCpuSeconds: number;
  readonly sent: number;
  readonly sentBytes: number;
  readonly heard: number;
}

async function lookAt({ edges }: Mesh, broker: PrivateBroker): Promise<Look> {
  const ofBroker = await usedByBroker(broker);
  const atMs = clock();
  const used = await Promise.all(edges.map(usedBy));
  const values = await Promise.all(edges.map(metricsOf));
  const sum = (name: string) => values.reduce((total, value) => total + value(name), 0);
  return {
    atMs,
    edgeBytes: used.reduce((total, { bytes }) => total + bytes, 0),
    edgeCpuSeconds: used.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0),
    brokerBytes: ofBroker.bytes,
    brokerCpuSeconds: ofBroker.cpuSeconds,
    sent: sum('evenkeel_presence_sent_total'),
    sentBytes: sum('evenkeel_presence_sent_bytes_total'),
    heard: sum('evenkeel_presence_heard_total'),
  };
}

async function sentBytes(edges: readonly Edge[]): Promise<number> {
  const values = await Promise.all(edges.map(metricsOf));
  return values.reduce((total, value) => total + value('evenkeel_presence_sent_bytes_total'), 0);
}

function stretch(from: Look, to: Look, edges: number): Stretch {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const of = (name: keyof Look) => (to[name] - from[name]) / seconds;
  return {
    edgeCores: rounded(of('edgeCpuSeconds') / edges),
    brokerCores: rounded(of('brokerCpuSeconds')),
    sentPerSecond: Math.round((10 * of('sent')) / edges) / 10,
    sentBytesPerSecond: Math.round(of('sentBytes') / edges),
    heardPerSecond: Math.round((10 * of('heard')) / edges) / 10,
  };
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

function spreadOf(values: readonly number[]): readonly [median: number, max: number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), Math.round(sorted.at(-1) ?? 0)];
}
