import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type Subscription } from '@evenkeel/client';
import type { Edge, Mesh, PrivateBroker } from '@evenkeel/local';
import { clock } from '../fleet/clock.js';
import { startFleet } from '../fleet/fleet.js';
import { ThinSocket } from '../fleet/thin-socket.js';
import { until } from '../fleet/until.js';
import { coresBetween, type MeshUsed, metricsOf, usedByMesh } from '../mesh/used.js';
import { startTopicMesh, type TopicMeshOptions, topic } from '../topic-cost/mesh.js';

export interface CostOptions extends TopicMeshOptions {
  readonly members: number;
  /** Of them together, a second. */
  readonly rate: number;
  readonly seconds: number;
}

/** Over a stretch of time, of an edge on average. */
interface Stretch {
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

interface Watchers {
  /** From `connect` until it has the number of members: median and longest, ms. */
  readonly newcomerMs: readonly [median: number, max: number];
  /** A question of who is connected already. */
  readonly questionMs: readonly [median: number, max: number];
  /** Bytes that edges send when one more edge starts, beside what they send anyway. */
  readonly snapshotBytes: number;
}

/** Each joins or leaves every two seconds at a hundred a second. */
const comersPerChange = 2;
const calmMs = 5_000;
const connectTimeoutMs = 180_000;
const countTimeoutMs = 60_000;
const newcomers = 20;

/** What a topic with so many members costs, with presence or without it. */
export async function costOf(isKept: boolean, options: CostOptions): Promise<Cost> {
  const { members, edges, rate, seconds, say, atEnd } = options;
  const { mesh, broker } = await startTopicMesh({ presence: isKept }, options);
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
    edgeMiB: Math.round(restTo.edges.bytes / edges / 2 ** 20),
    brokerMiB: Math.round(restTo.broker.bytes / 2 ** 20),
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

interface Look extends MeshUsed {
  readonly sent: number;
  readonly sentBytes: number;
  readonly heard: number;
}

async function lookAt(mesh: Mesh, broker: PrivateBroker): Promise<Look> {
  const used = await usedByMesh(mesh, broker);
  const values = await Promise.all(mesh.edges.map(metricsOf));
  const sum = (name: string) => values.reduce((total, value) => total + value(name), 0);
  return {
    ...used,
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
  const of = (name: 'sent' | 'sentBytes' | 'heard') => (to[name] - from[name]) / seconds;
  const { edgeCores, brokerCores } = coresBetween(from, to);
  return {
    edgeCores: rounded(edgeCores / edges),
    brokerCores,
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
