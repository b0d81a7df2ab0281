import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BrokerChoice,
  type Edge,
  type Mesh,
  type PrivateBroker,
  startCluster,
  startMesh,
  startPrivateBroker,
  stateDir,
} from '@evenkeel/local';
import { eventually } from '@evenkeel/testkit';
import { createOperator, type Operator } from 'evenkeel';
import { DeliveryClient } from './client.js';
import type { ClientOptions, Manner, Participant } from './participant.js';
import { Proxies } from './proxies.js';
import {
  type Orders,
  type RunningPublisher,
  startListener,
  startPikaPublisher,
  startSdkPublisher,
} from './publishers.js';
import type { Recorder } from './recorder.js';
import { SdkClient } from './sdk-client.js';
import { startService } from './service.js';

export interface BrokerFlags {
  readonly choice: BrokerChoice;
  readonly image?: string;
  /** How many nodes the broker has; one. */
  readonly brokers?: number;
}

const manners: readonly Manner[] = ['quick', 'slow', 'sleeping', 'cut', 'moved', 'sdk'];
const users = ['ann', 'bea'];
const topic = 'all';
/** With a history. */
const kept = 'kept.all';
const lifetimeMs = 10_000;
export const maxLength = 60;
/** Short: what gets no answer is to be told so within a run. */
export const requestTimeoutMs = 6_000;
const askEveryMs = 2_500;
/** Lifetimes and windows are short, so that their ends are met often. */
const settings = {
  EVENKEEL_SESSION_LIFETIME_MS: String(lifetimeMs),
  EVENKEEL_SESSION_MAX_LENGTH: String(maxLength),
  EVENKEEL_WINDOW: '16',
  EVENKEEL_ACK_TIMEOUT_MS: '20000',
  EVENKEEL_HEARTBEAT_MS: '5000',
  EVENKEEL_REQUEST_TIMEOUT_MS: String(requestTimeoutMs),
  EVENKEEL_NAMESPACES: JSON.stringify({
    namespaces: {
      kept: { history: { size: 100_000, seconds: 3_600 } },
      '*': { subscribe: 'anyone', publish: 'anyone', request: 'anyone' },
    },
  }),
};
const drainEveryMs = 4_000;
/** For the answers that it waits for. */
const leaveWithinMs = 10_000;
const quietMs = 3_000;
/** Who has been told when to come back keeps to it. */
const quietWithinMs = 60_000;

const clientOf = (options: ClientOptions): Participant =>
  options.manner === 'sdk' ? new SdkClient(options) : new DeliveryClient(options);

const brokerOf = ({ choice, image, brokers = 1 }: BrokerFlags): Promise<PrivateBroker> =>
  brokers > 1
    ? startCluster(brokers)
    : startPrivateBroker({ choice, ...(image === undefined ? {} : { image }) });

/** A broker and a mesh of its own, with publishers of four manners and clients of six. */
export class Stage {
  readonly broker: PrivateBroker;
  readonly mesh: Mesh;
  /** What leads to the broker of the first edge. */
  readonly proxy: Proxies;
  /** Where the wall clocks of the services are set. */
  readonly clocks: string;
  readonly recorder: Recorder;
  readonly clients: Participant[] = [];
  readonly #missed: string[] = [];
  /** Those that others have replaced. */
  readonly #left: Participant[] = [];
  readonly #publishers: RunningPublisher[] = [];
  #listener: RunningPublisher | undefined;
  #service: RunningPublisher | undefined;
  readonly #operator: Operator;
  #isOver = false;
  #loops: Promise<void>[] = [];

  private constructor(given: {
    broker: PrivateBroker;
    mesh: Mesh;
    proxy: Proxies;
    clocks: string;
    recorder: Recorder;
    operator: Operator;
  }) {
    this.broker = given.broker;
    this.mesh = given.mesh;
    this.proxy = given.proxy;
    this.clocks = given.clocks;
    this.recorder = given.recorder;
    this.#operator = given.operator;
  }

  /** `folder`: for the logs of the services, in the state folder. */
  static async set(folder: string, recorder: Recorder, flags: BrokerFlags): Promise<Stage> {
    const broker = await brokerOf(flags);
    const clocks = mkdtempSync(join(tmpdir(), 'evenkeel-clocks-'));
    // Inherited by the services.
    process.env.DELIVERY_CLOCKS = clocks;
    process.env.NODE_OPTIONS = `--require=${join(import.meta.dirname, '..', '..', '..', 'delivery', 'run', 'clock.cjs')}`;
    const proxy = await Proxies.toUrls(broker.amqpUrl);
    const { amqpUrl, urlFor } = broker;
    const logDir = join(stateDir, folder);
    const mesh = await startMesh({ edges: 0, balancer: 2, amqpUrl, urlFor, env: settings, logDir });
    await mesh.addEdge({ EVENKEEL_AMQP_URL: proxy.urlsFor(urlFor('edge')) });
    await mesh.addEdge();
    const operator = await createOperator({ amqpUrl: urlFor('operator') });
    return new Stage({ broker, mesh, proxy, clocks, recorder, operator });
  }

  /** The first edge: the one that things are done to. */
  get edge(): Edge {
    const [edge] = this.mesh.edges;
    if (edge === undefined) throw new Error('there is no edge');
    return edge;
  }

  async play(): Promise<void> {
    const { recorder, mesh } = this;
    for (const user of users) {
      for (const manner of manners) {
        const own = `${user}.${manner}`;
        const options = { gatewayUrl: mesh.gatewayUrl, user, manner, topics: [topic, own, kept], recorder };
        this.clients.push(clientOf(options));
      }
    }
    const areConnected = () => this.clients.every((each) => each.isConnected);
    await eventually('all clients are connected', areConnected, 30_000);
    this.#listener = await startListener(this.broker.amqpUrl, recorder);
    const options = { amqpUrl: this.broker.urlFor('app-shop'), users, topic, kept, recorder };
    this.#service = await startService(this.broker.urlFor('app-shop'));
    this.#publishers.push(await startSdkPublisher(options));
    for (const manner of ['bare', 'cc', 'cloudevents'] as const) {
      this.#publishers.push(await startPikaPublisher(manner, options));
    }
    this.#loops = [this.#drain(), ...this.clients.flatMap((each) => this.#lead(each))];
  }

  /** Another takes the place of the nth client, which leaves once it has its answers. */
  async replace(n: number): Promise<void> {
    const at = n % this.clients.length;
    const old = this.clients[at];
    if (old === undefined || this.#isOver) return;
    const fresh = clientOf(old.options);
    this.clients[at] = fresh;
    this.#loops.push(...this.#lead(fresh));
    const deadline = performance.now() + leaveWithinMs;
    while (old.isWaiting && performance.now() < deadline) await sleep(50);
    old.end();
    this.#left.push(old);
  }

  #lead(client: Participant): Promise<void>[] {
    return [this.#live(client), this.#ask(client)];
  }

  /** Tells all publishers. */
  tell(orders: Orders): void {
    for (const each of this.#publishers) each.tell(orders);
  }

  /** Nothing more is published or broken; waits until all that is due has come, and ends the clients. */
  async settle(): Promise<void> {
    this.#isOver = true;
    await Promise.all([...this.#loops, ...this.#publishers.map((each) => each.stop())]);
    const deadline = performance.now() + quietWithinMs;
    const isQuiet = (): boolean =>
      this.clients.every(
        (each) => each.isConnected && !each.isWaiting && performance.now() - each.lastAt > quietMs,
      );
    while (!isQuiet() && performance.now() < deadline) await sleep(100);
    for (const { options, isConnected } of this.clients)
      if (!isConnected)
        this.#missed.push(`${options.user}'s ${options.manner} client is not there in the end`);
    for (const each of this.clients) each.close();
  }

  /** Clients that are not there, or have been ended for good. */
  get absent(): string[] {
    const ended = [...this.#left, ...this.clients]
      .filter((each) => each.failure !== undefined)
      .map(({ options: { user, manner }, failure }) => `${user}'s ${manner} client: ${failure}`);
    return [...ended, ...this.#missed];
  }

  async strike(): Promise<void> {
    this.#isOver = true;
    for (const each of this.clients) each.close();
    await Promise.allSettled(this.#loops);
    await Promise.allSettled(this.#publishers.map((each) => each.stop()));
    await this.#listener?.stop();
    await this.#service?.stop();
    await this.#operator.close().catch(() => undefined);
    await this.mesh.stop();
    await this.proxy.close();
    await this.broker.stop();
  }

  /** Moves everybody to and fro. */
  async #drain(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const { node } = this.mesh.edges[turn % 2] ?? this.edge;
      // One whose answer was lost may have been carried out.
      await this.#operator.drain({ node }).catch(() => undefined);
      await this.#pause(drainEveryMs);
      await this.#operator.uncordon({ node }).catch(() => undefined);
    }
    for (const { node } of this.mesh.edges) await this.#operator.uncordon({ node }).catch(() => undefined);
  }

  async #live(client: Participant): Promise<void> {
    for (let turn = 0; this.#isThere(client); turn++) {
      const { manner } = client.options;
      if (manner === 'cut' || manner === 'sdk') {
        await this.#pause(manner === 'sdk' ? 3000 + Math.random() * 5000 : 1500 + Math.random() * 2500);
        client.cut();
      } else if (client instanceof DeliveryClient && manner === 'sleeping') {
        await this.#pause(3000);
        // Every second time past its session's life.
        await client.sleep(turn % 2 === 0 ? lifetimeMs * 0.4 : lifetimeMs * 1.5);
      } else return;
    }
  }

  async #ask(client: Participant): Promise<void> {
    // Not all at once.
    await this.#pause(Math.random() * askEveryMs);
    while (this.#isThere(client)) {
      client.ask();
      await this.#pause(askEveryMs);
    }
  }

  #isThere(client: Participant): boolean {
    return !this.#isOver && this.clients.includes(client);
  }

  async #pause(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (!this.#isOver && performance.now() < deadline) await sleep(50);
  }
}
