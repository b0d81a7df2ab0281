import { connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { type Fleet, startFleet } from '../../fleet/fleet.js';
import { startNumberedTopics, startPlainEvents } from '../../fleet/numbered-plain.js';
import { creatorOf, type NumberedPublisher, startNumberedPublisher } from '../../fleet/numbered-publisher.js';
import { topicsOfClients } from '../../fleet/topic-load.js';
import { until } from '../../fleet/until.js';
import { moduleOf, type Tree } from '../../tree.js';
import { BareClient } from './bare-client.js';
import { Callers } from './callers.js';
import { type Group, type RecordedClient, recordedGroup, sdkGroup } from './group.js';
import { PythonClient } from './python-client.js';
import { RawFrameClient } from './raw-client.js';

export interface CastOptions {
  readonly old: Tree;
  /** The administrator's: what is of the older version declares exchanges itself. */
  readonly amqpUrl: string;
  /** Of an application. */
  readonly appAmqpUrl: string;
  readonly gatewayUrl: string;
  readonly sessions: number;
  /** Events a second over all clients. */
  readonly rate: number;
  readonly topics: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Is told how to end each part, in whatever state it is. */
  readonly atEnd: (stop: () => Promise<unknown>) => void;
}

const connectTimeoutMs = 120_000;
const connectingAtOnce = 16;
const messagesPerTopicAndSecond = 0.5;
const callsPerSecondAndCaller = 2;

/** How `sessions` clients are shared out: a few of each kind without an SDK, the rest by halves between the two SDKs. */
export function sharesOf(sessions: number) {
  const part = (share: number, least: number, most: number) =>
    Math.min(most, Math.max(least, Math.round(sessions * share)));
  const python = part(0.003, 2, 4);
  const bare = part(0.04, 3, 50);
  const raw = part(0.1, 5, 100);
  const callersOfEach = part(0.02, 3, 20);
  const rest = sessions - python - bare - raw - 2 * callersOfEach;
  return { python, bare, raw, callersOfEach, old: Math.ceil(rest / 2), new: Math.floor(rest / 2) };
}

/** Everybody who takes part in an upgrade without being part of the mesh: clients of every kind, services, publishers. */
export class Cast {
  readonly groups: Group[] = [];
  topics: NumberedPublisher | undefined;
  readonly #options: CastOptions;
  readonly #fleets: { readonly version: 'old' | 'new'; readonly fleet: Fleet }[] = [];
  readonly #clients: {
    readonly name: string;
    readonly prefix: string;
    readonly clients: RecordedClient[];
  }[] = [];
  readonly #raw: RawFrameClient[] = [];
  #callers: Callers | undefined;

  constructor(options: CastOptions) {
    this.#options = options;
  }

  get callers(): Callers {
    if (this.#callers === undefined) throw new Error('nobody calls yet');
    return this.#callers;
  }

  /** Resolves when every client is connected; bare ones are not told when they are attached. */
  async enter(): Promise<void> {
    const { old, amqpUrl, gatewayUrl, sessions, topics, atEnd } = this.#options;
    const shares = sharesOf(sessions);
    for (const version of ['old', 'new'] as const) {
      const fleet = await startFleet({
        gatewayUrl,
        clients: shares[version],
        users: (n) => `${version}-${n}`,
        topics: topicsOfClients(shares[version], topics),
        ...(version === 'old' && { sdk: moduleOf(old, 'client') }),
      });
      atEnd(() => fleet.stop());
      this.#fleets.push({ version, fleet });
    }
    await this.#bring('Python', 'python', shares.python, async (user, n) => {
      return new PythonClient(old.dir, gatewayUrl, user, n, n % Math.max(1, topics));
    });
    await this.#bring('raw frames', 'raw', shares.raw, (user, n) => {
      const client = new RawFrameClient(gatewayUrl, user, n);
      this.#raw.push(client);
      return client.connect();
    });
    await this.#bring('bare', 'bare', shares.bare, (user, n) =>
      new BareClient(gatewayUrl, user, n).connect(),
    );
    const client = (await import(moduleOf(old, 'client'))) as { connect: typeof connect };
    const callers = await Callers.start({
      // Only edges of this version bind what a user of its own may reply to.
      amqpUrl,
      gatewayUrl,
      ofEach: shares.callersOfEach,
      sdks: [
        {
          version: 'old',
          connect: client.connect,
          createPublisher: await creatorOf(moduleOf(old, 'publisher')),
        },
        { version: 'new', connect, createPublisher },
      ],
    });
    atEnd(() => callers.group.stop());
    this.#callers = callers;
    for (const { fleet } of this.#fleets) await fleet.connected(connectTimeoutMs);
    for (const { name, clients } of this.#clients) {
      const areIn = await until(connectTimeoutMs, 50, () => clients.every(({ isConnected }) => isConnected));
      if (areIn) continue;
      const incidents = clients.flatMap((each) => each.incidents).slice(0, 5);
      throw new Error(`not every client (${name}) is connected: ${incidents.join('; ')}`);
    }
  }

  /** Begins to publish and to call. Who publishes to the clients of one SDK does so by the other version's. */
  async begin(): Promise<void> {
    const { old, amqpUrl, appAmqpUrl, sessions, rate, topics, random, atEnd } = this.#options;
    const ratePerSecond = (size: number) => (rate * size) / sessions;
    const add = (group: Group, publisher: NumberedPublisher) => {
      atEnd(() => publisher.stop());
      this.groups.push(group);
    };
    for (const { version, fleet } of this.#fleets) {
      await fleet.reset();
      const publisher = await startNumberedPublisher({
        amqpUrl: version === 'new' ? amqpUrl : appAmqpUrl,
        users: fleet.users,
        ratePerSecond: ratePerSecond(fleet.users.length),
        random,
        ...(version === 'new' && { sdk: moduleOf(old, 'publisher') }),
      });
      add(sdkGroup(`${version} SDK`, fleet, publisher), publisher);
    }
    for (const { name, prefix, clients } of this.#clients) {
      const publisher = await startPlainEvents({
        amqpUrl,
        users: clients.map((_, n) => `${prefix}-${n}`),
        ratePerSecond: Math.max(clients.length, ratePerSecond(clients.length)),
        random,
      });
      add(recordedGroup(name, clients, publisher), publisher);
    }
    const { callers } = this;
    this.groups.push(callers.group);
    callers.call(callers.group.size * callsPerSecondAndCaller);
    if (topics === 0) return;
    const publisher = await startNumberedTopics({
      amqpUrl,
      topics,
      ratePerSecond: topics * messagesPerTopicAndSecond,
      random,
    });
    atEnd(() => publisher.stop());
    this.topics = publisher;
  }

  /** Part of the clients of raw frames that edges have told the name of their connection: those of this version do. */
  get partNamed(): number {
    return this.#raw.filter(({ isConnectionNamed }) => isConnectionNamed).length / this.#raw.length;
  }

  /** Clients that are connected now. */
  async connected(): Promise<number> {
    const each = await Promise.all(this.groups.map((group) => group.connected()));
    return each.reduce((sum, count) => sum + count, 0);
  }

  async #bring(
    name: string,
    prefix: string,
    count: number,
    make: (user: string, n: number) => Promise<RecordedClient>,
  ): Promise<void> {
    const clients: RecordedClient[] = [];
    this.#clients.push({ name, prefix, clients });
    this.#options.atEnd(async () => void (await Promise.all(clients.map((client) => client.stop()))));
    while (clients.length < count) {
      const at = clients.length;
      const some = Array.from({ length: Math.min(connectingAtOnce, count - at) }, (_, i) =>
        make(`${prefix}-${at + i}`, at + i),
      );
      clients.push(...(await Promise.all(some)));
    }
  }
}
