import { join } from 'node:path';
import {
  CertificateFolder,
  type Edge,
  type Mesh,
  type MeshOptions,
  type PrivateBroker,
  type PrivateCluster,
  startCluster,
  startMesh,
  startPrivateBroker,
  stateDir,
} from '@evenkeel/local';
import { seededRandom } from '@evenkeel/testkit';
import { createOperator, type NodeStatus, type Operator } from 'evenkeel';
import { type Fleet, type FleetOptions, startFleet } from '../fleet/fleet.js';
import { startNumberedTopics } from '../fleet/numbered-plain.js';
import { type NumberedPublisher, startNumberedPublisher } from '../fleet/numbered-publisher.js';
import { topicsOfClients } from '../fleet/topic-load.js';
import { until } from '../fleet/until.js';
import { areSame, type Step, spreadOf } from './level.js';
import type { StoryOptions } from './options.js';

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** How long a level is waited for; a scenario may ask for less. */
const levelTimeoutMs = 120_000;
const askEveryMs = 2_000;
const seenTimeoutMs = 15_000;
const connectTimeoutMs = 120_000;
const messagesPerTopicAndSecond = 0.25;
const brokersOfCluster = 3;
/** Each queue is declared and bound on every node: with more a second two processors do nothing else. */
const clusterArrivalsPerSecond = 50;
/** More clients than this and they get a second process. */
const clientsPerWorker = 4_000;

/** Everything a scenario plays with. What was started is stopped by `strike`, in whatever state it is. */
export class Stage {
  readonly options: StoryOptions;
  readonly random: () => number;
  readonly steps: Step[] = [];
  /** What did not hold, in words. */
  readonly failures: string[] = [];
  /** What happened until all clients were in: nothing had been sent yet. */
  arrival: Readonly<Record<string, unknown>> = {};
  readonly #cleanUps: (() => Promise<unknown>)[] = [];
  #broker: PrivateBroker | undefined;
  /** A virtual host where there is nothing yet, and one user for everybody. */
  #givenUrl: string | undefined;
  #mesh: Mesh | undefined;
  #operator: Operator | undefined;
  #fleet: Fleet | undefined;
  #publisher: NumberedPublisher | undefined;
  #topics: NumberedPublisher | undefined;

  constructor(options: StoryOptions) {
    this.options = options;
    this.random = seededRandom(options.seed);
  }

  get broker(): PrivateBroker {
    return there(this.#broker);
  }
  get mesh(): Mesh {
    return there(this.#mesh);
  }
  get fleet(): Fleet {
    return there(this.#fleet);
  }
  get operator(): Operator {
    return there(this.#operator);
  }
  get publisher(): NumberedPublisher | undefined {
    return this.#publisher;
  }
  /** Who publishes to topics; undefined: nobody. */
  get topics(): NumberedPublisher | undefined {
    return this.#topics;
  }
  /** The broker's address for a user of it. */
  get urlFor(): (user: string) => string {
    return this.#givenUrl === undefined ? there(this.#broker).urlFor : () => this.amqpUrl;
  }
  /** The broker's address for its administrator. */
  get amqpUrl(): string {
    return this.#givenUrl ?? there(this.#broker).amqpUrl;
  }

  /** Broker, gateway, edges and balancer; `env` is for all of them. */
  async set(env: Readonly<Record<string, string>> = {}, more: Partial<MeshOptions> = {}): Promise<void> {
    const { broker: choice, brokerImage: image } = this.options;
    await this.#setOn(
      await startPrivateBroker({ choice, ...(image === undefined ? {} : { image }) }),
      env,
      more,
    );
  }

  /** The same on three brokers that are one. */
  async setOnCluster(): Promise<PrivateCluster> {
    const cluster = await startCluster(brokersOfCluster);
    await this.#setOn(cluster, {}, { balancer: 2 });
    return cluster;
  }

  async #setOn(
    broker: PrivateBroker,
    env: Readonly<Record<string, string>>,
    more: Partial<MeshOptions>,
  ): Promise<void> {
    const { edges, load } = this.options;
    this.#broker = broker;
    this.atEnd(() => broker.stop());
    say(`Broker: ${broker.description}`);
    if (!this.options.users) await this.#forgetUsers(broker);
    const { amqpUrl } = this;
    // What declares the exchanges itself, as older parts do, needs the right to.
    const urlFor = more.checkout === undefined ? this.urlFor : () => amqpUrl;
    const logDir = join(stateDir, `story-${this.options.scenario}`);
    this.#mesh = await startMesh({
      edges,
      amqpUrl,
      urlFor,
      env: { EVENKEEL_LOAD: load, ...env },
      logDir,
      tls: this.#certificates(),
      ...more,
      onUnexpectedEnd: (member, how) =>
        this.fail(`${member.name} ended without having been told to (${how})`),
    });
    this.atEnd(() => this.mesh.stop());
    this.#operator = await createOperator({ amqpUrl: urlFor('operator') });
    this.atEnd(() => this.operator.close());
    say(`${edges} edges are up; their logs are in ${logDir}.`);
  }

  #certificates(): CertificateFolder | undefined {
    if (!this.options.tls) return undefined;
    const folder = new CertificateFolder();
    this.atEnd(async () => folder.remove());
    folder.serve('story');
    // For the processes that are started from here on.
    process.env.NODE_EXTRA_CA_CERTS = folder.caFile;
    return folder;
  }

  /** Starts the clients and waits until all are connected. */
  async enter(options: Partial<FleetOptions> = {}): Promise<void> {
    const { sessions, topics } = this.options;
    const arriveWithinMs = this.broker.nodes ? (sessions / clusterArrivalsPerSecond) * 1_000 : undefined;
    this.#fleet = await startFleet({
      gatewayUrl: this.mesh.gatewayUrl,
      clients: sessions,
      workers: Math.ceil(sessions / clientsPerWorker),
      users: (n) => `story-${n}`,
      topics: topicsOfClients(sessions, topics),
      ...(arriveWithinMs !== undefined && { arriveWithinMs }),
      ...options,
    });
    this.atEnd(() => this.fleet.stop());
    await this.fleet.connected(connectTimeoutMs + (arriveWithinMs ?? 0));
    const { connectFailures, gaps, moves } = await this.fleet.stats();
    this.arrival = { connectFailures, gaps, moves };
    say(`${sessions} clients are connected.`);
  }

  /** Publishes from now on until `settle`. */
  async publish(pick?: () => number): Promise<void> {
    this.#publisher = await startNumberedPublisher({
      amqpUrl: this.urlFor('app-shop'),
      users: this.fleet.users,
      ratePerSecond: this.options.rate,
      random: this.random,
      ...(pick === undefined ? {} : { pick }),
    });
    this.atEnd(() => this.#publisher?.stop() ?? Promise.resolve());
    const { topics } = this.options;
    if (topics === 0) return;
    const ratePerSecond = topics * messagesPerTopicAndSecond;
    this.#topics = await startNumberedTopics({
      amqpUrl: this.urlFor('app-shop'),
      topics,
      ratePerSecond,
      random: this.random,
    });
    this.atEnd(() => this.#topics?.stop() ?? Promise.resolve());
  }

  /** What the balancer knows of every node. */
  async nodes(): Promise<NodeStatus[]> {
    return (await this.operator.status()).nodes;
  }

  /**
   * Waits until every client is connected, the balancer's counts and the clients' own agree, and no node is off
   * the mean by more than 2 %; notes that as a step. `sinceMs`: what began it.
   */
  async level(name: string, sinceMs: number, withinMs = levelTimeoutMs): Promise<Step> {
    const names = runningEdges(this.mesh).map(({ node }) => node);
    let seen: Record<string, number> = {};
    let inFleet: Record<string, number> = {};
    let askedAtMs = 0;
    const isLevel = await until(Math.max(levelTimeoutMs, withinMs), 200, async () => {
      inFleet = await this.fleet.nodes();
      // Each question is audited: the balancer is asked when the clients are where they should be.
      const isDue = spreadOf(inFleet, names).isLevel || Date.now() - askedAtMs > askEveryMs;
      if (!isDue) return false;
      askedAtMs = Date.now();
      const active = (await this.nodes().catch(() => [])).filter(({ state }) => state === 'active');
      seen = Object.fromEntries(active.map(({ node, connections }) => [node, connections]));
      const spread = spreadOf(seen, names);
      return (
        active.length === names.length &&
        spread.isLevel &&
        spread.total === this.options.sessions &&
        areSame(seen, inFleet)
      );
    });
    const seconds = Math.round((Date.now() - sinceMs) / 100) / 10;
    const { maxOverMean } = spreadOf(seen, names);
    const perNode = Object.fromEntries(names.map((node) => [node, seen[node] ?? 0]));
    const step = { name, perNode, secondsToLevel: isLevel ? seconds : null, maxOverMean };
    this.steps.push(step);
    say(`${name}: ${counted(perNode)}${isLevel ? `, level after ${seconds} s` : ', not level'}`);
    if (!isLevel) this.fail(`${name}: not level; the clients say ${counted(inFleet)}`);
    else if (seconds * 1_000 > withinMs)
      this.fail(`${name}: level after ${seconds} s, not ${withinMs / 1_000} s`);
    return step;
  }

  /** Waits until the balancer takes this node for active, with this version. */
  async seen(node: string, version: string): Promise<void> {
    const isSeen = await until(seenTimeoutMs, 200, async () =>
      (await this.nodes().catch(() => [])).some(
        (each) => each.node === node && each.version === version && each.state === 'active',
      ),
    );
    if (!isSeen) this.fail(`${node} was not active with version ${version} after ${seenTimeoutMs / 1_000} s`);
  }

  /** As on a broker that was there before: no exchange but what the parts declare, no user but the administrator. */
  async #forgetUsers(broker: PrivateBroker): Promise<void> {
    const url = new URL(broker.amqpUrl);
    url.pathname = '/given';
    await broker.ctl(['add_vhost', 'given']);
    await broker.ctl(['set_permissions', '-p', 'given', url.username, '.*', '.*', '.*']);
    this.#givenUrl = url.href;
  }

  /** Ends it in order and boots it again, with what it has kept. */
  async restartBroker(): Promise<void> {
    await there(this.#broker).restart();
  }

  fail(what: string): void {
    this.failures.push(what);
    say(`FAILED: ${what}`);
  }

  atEnd(cleanUp: () => Promise<unknown>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Stops all there is, last things first. */
  async strike(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) {
      await cleanUp().catch((error: unknown) => say(`while stopping: ${String(error)}`));
    }
  }
}

export const runningEdges = (mesh: Mesh): Edge[] => mesh.edges.filter((edge) => edge.isRunning);

const counted = (perNode: Readonly<Record<string, number>>): string =>
  Object.entries(perNode)
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([node, count]) => `${node} ${count}`)
    .join(', ');

function there<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new Error('the scenario uses what it has not started');
  return thing;
}
