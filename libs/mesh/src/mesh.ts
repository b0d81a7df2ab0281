import {
  Alarm,
  Broker,
  type BrokerTls,
  type ConnectionFigures,
  type Log,
  type Publisher,
  type PublisherOptions,
  type Topology,
  userOf,
} from '@evenkeel/broker';
import { areSeveralBrokers, shuffledAddresses, withDeadline } from '@evenkeel/pace';
import { clusterTopology, meshTopology, replicatedQueue } from '@evenkeel/protocol';
import { Control } from './control.js';
import { OwnQueue, type OwnQueueOptions } from './own-queue.js';
import { StatsChannel } from './stats.js';

/** What is not confirmed by then is given up at the end. */
const flushMs = 2_000;
/** How often the exchanges are declared again, or looked for. */
const lookEveryMs = 3_000;

const everyExchange = meshTopology.exchanges.map(({ name }) => name);

export interface MeshOptions {
  /** `amqp://` or `amqps://` URL of RabbitMQ, or several separated by commas. */
  url: string;
  /** How to speak TLS to it. */
  tls?: BrokerTls | undefined;
  /** Of the connections, in RabbitMQ's list: `<name> consuming`, `<name> publishing`. */
  name: string;
  log?: Log;
  /**
   * Whether it declares the exchanges of the mesh, again when they are missing, or only looks for them, and is not ready
   * while one is. One process declares, the balancer: nobody else needs the right. Default `passive`.
   */
  topology?: 'declare' | 'passive';
  /** The exchanges that it looks for. Default: every one. */
  uses?: readonly string[];
  /** Source of chance, for tests: which of several brokers comes first. Default `Math.random`. */
  random?: () => number;
  /** From a publish to its confirm, unless the call says otherwise. Default 30000. */
  publishTimeoutMs?: number;
  /** For who publishes seldom: see {@link AlarmProbe}. */
  probe?: AlarmProbe;
}

/** RabbitMQ tells of an alarm only who publishes: where this goes nobody is, and it is published every 3 s while `isWanted`. */
export interface AlarmProbe {
  readonly exchange: string;
  readonly key: string;
  isWanted(): boolean;
}

type QueueOptions = Omit<OwnQueueOptions, 'isDurable'> & { isOptional?: boolean };

/**
 * A service's hold on the broker. Two connections and those asked for apart, since a broker alarm blocks a connection that publishes, its
 * acknowledgements included; the publishing one only where something is published. Touches nothing until it is started:
 * queues, publishers and consumers are made from it before.
 */
export class Mesh {
  readonly consuming: Broker;
  readonly control: Control;
  readonly stats: StatsChannel;
  readonly #options: MeshOptions;
  readonly #queues: OwnQueue[] = [];
  #publishing: Broker | undefined;
  #publisher: Publisher | undefined;
  readonly #apart: { readonly role: string; readonly broker: Broker; readonly publishers: Publisher[] }[] =
    [];
  readonly #beside: Publisher[] = [];
  /** Of all its connections. */
  readonly #alarm = new Alarm();
  #looking: NodeJS.Timeout | undefined;

  constructor(options: MeshOptions) {
    // Its connections take the same order: queues live on the node that they are declared at, best the one that consumes them.
    this.#options = { ...options, url: shuffledAddresses(options.url, options.random ?? Math.random) };
    this.consuming = this.#broker('consuming');
    this.control = new Control(this);
    this.stats = new StatsChannel(this);
  }

  /** The user that it logs in as. */
  get user(): string | undefined {
    return userOf(this.#options.url);
  }

  /** With several addresses the broker counts as one of several nodes. */
  get isCluster(): boolean {
    return areSeveralBrokers(this.#options.url);
  }

  /** Ask for it while building: a connection that nobody has asked for is not opened. */
  get publishing(): Broker {
    this.#publishing ??= this.#broker('publishing');
    return this.#publishing;
  }

  /** The publisher of everything that this service sends. Ask for it while building. */
  get publisher(): Publisher {
    const { publishTimeoutMs: timeoutMs } = this.#options;
    this.#publisher ??= this.publishing.publisher(timeoutMs === undefined ? {} : { timeoutMs });
    return this.#publisher;
  }

  /**
   * A publisher with a connection of its own, `<name> <role>` in RabbitMQ's list, for what others cause to be sent: RabbitMQ slows
   * a connection down as a whole, so on a shared one the service's own messages would wait behind theirs. Asked for again it is another
   * channel there. Ask for it while building.
   */
  publisherApart(role: string, options: PublisherOptions = {}): Publisher {
    let apart = this.#apart.find((each) => each.role === role);
    if (apart === undefined) {
      apart = { role, broker: this.#broker(role), publishers: [] };
      this.#apart.push(apart);
    }
    const publisher = apart.broker.publisher(options);
    apart.publishers.push(publisher);
    return publisher;
  }

  /**
   * A publisher with a channel of its own beside {@link Mesh.publisher}: what RabbitMQ closes it for, such as an exchange that is not there
   * yet, touches nothing else. Ask for it while building.
   */
  publisherBeside(): Publisher {
    const { publishTimeoutMs: timeoutMs } = this.#options;
    const publisher = this.publishing.publisher(timeoutMs === undefined ? {} : { timeoutMs });
    this.#beside.push(publisher);
    return publisher;
  }

  /** What its connections do at this moment, each by what it is for, as in RabbitMQ's list. */
  *figures(): Generator<readonly [string, ConnectionFigures]> {
    yield ['consuming', this.consuming.figures()];
    if (this.#publishing !== undefined) yield ['publishing', this.#publishing.figures()];
    for (const { role, broker } of this.#apart) yield [role, broker.figures()];
  }

  /** The brokers that it has addresses of, and those of them that it is connected to, each `host:port`, once. */
  get brokers(): { readonly known: readonly string[]; readonly at: readonly string[] } {
    const at = this.#connections().flatMap(({ address }) => address ?? []);
    // Behind a load balancer all have one.
    return { known: [...new Set(this.consuming.addresses)].sort(), at: [...new Set(at)].sort() };
  }

  /** For `ms` it connects to this broker, `host:port`, only where no other answers; connections that are there stay. */
  avoid(broker: string, ms: number): void {
    for (const each of this.#connections()) each.avoid(broker, ms);
  }

  /** Its connections to this broker, `host:port`, are given up, and made anew as after a loss. */
  leave(broker: string): void {
    for (const each of this.#connections()) if (each.address === broker) each.renew();
  }

  /**
   * A queue of this process alone, on the consuming connection. Start it after the mesh. `isOptional`: the mesh is ready without it, and
   * whoever made it says what is missing then.
   */
  ownQueue({ isOptional = false, ...options }: QueueOptions): OwnQueue {
    return this.#queue(options, isOptional);
  }

  /** A queue that outlives this process, and the loss of one node of a cluster, and may be shared, under the same care. */
  durableQueue({ isOptional = false, arguments: given, ...options }: QueueOptions): OwnQueue {
    const all = { ...given, ...this.durableArguments };
    return this.#queue({ ...options, arguments: all, isDurable: true }, isOptional);
  }

  /** What a durable queue of the mesh has among its arguments. */
  get durableArguments(): Readonly<Record<string, unknown>> {
    return this.isCluster ? replicatedQueue : {};
  }

  /**
   * Opens the connections; resolves when they are open, and tries for ever.
   * @throws BrokerError `broker-closed` when `signal` aborts.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const apart = this.#apart.map(({ broker }) => broker.open(signal));
    await Promise.all([this.consuming.open(signal), this.#publishing?.open(signal), ...apart]);
    this.#looking = setInterval(() => {
      // Why it fails is in the readiness.
      if (this.consuming.state === 'open') this.consuming.redeclare().catch(() => {});
      this.#probeAlarm();
    }, lookEveryMs);
  }

  /** Waits for the confirms of what was published, two seconds at most, and closes the connections. Stop its queues before. */
  async stop(): Promise<void> {
    clearInterval(this.#looking);
    const own = { broker: this.#publishing, publishers: [this.#publisher, ...this.#beside] };
    const publishing = [...this.#apart, own];
    const flushed = publishing.flatMap(({ broker, publishers }) =>
      broker?.state === 'open' ? publishers.map((publisher) => publisher?.flush()) : [],
    );
    await withDeadline(Promise.all(flushed), flushMs, () => undefined);
    await Promise.all(
      [this.consuming, ...publishing.map(({ broker }) => broker)].map((each) => each?.close()),
    );
  }

  /** True when connected, everything declared, and every queue ready that was made from it and is not optional; else what is not. */
  readiness(): true | string {
    for (const part of [...this.#connections(), ...this.#queues]) {
      const readiness = part.readiness();
      if (readiness !== true) return readiness;
    }
    return true;
  }

  /**
   * What RabbitMQ is in an alarm for, as far as its connections have been told, and what of this service waits for that: for `/readyz`.
   * Undefined: there is none. @param what of this service it concerns.
   */
  alarm(what: string): string | undefined {
    const { ageMs, reason } = this.#alarm;
    if (ageMs === undefined) return undefined;
    const blocked = [...this.figures()].flatMap(([role, { isBlocked }]) => (isBlocked ? [role] : []));
    const seconds = Math.round(ageMs / 1_000);
    return `RabbitMQ has raised an alarm (${reason}), ${seconds} s ago, and takes nothing by ${blocked.join(', ')}: ${what}`;
  }

  #probeAlarm(): void {
    const { probe } = this.#options;
    if (!probe?.isWanted() || this.#alarm.isOn || this.#publishing?.state !== 'open') return;
    this.publisher.publish(probe.exchange, probe.key, '', { persistent: false }).catch(() => {});
  }

  /** Those that were asked for. */
  #connections(): Broker[] {
    const own = this.#publishing === undefined ? [] : [this.#publishing];
    return [this.consuming, ...own, ...this.#apart.map(({ broker }) => broker)];
  }

  #queue(options: OwnQueueOptions, isOptional = false): OwnQueue {
    const { log } = this.#options;
    const queue = new OwnQueue(this.consuming, { ...(log === undefined ? {} : { log }), ...options });
    if (!isOptional) this.#queues.push(queue);
    return queue;
  }

  #broker(role: string): Broker {
    const { url, tls, name, log, topology = 'passive', uses = everyExchange } = this.#options;
    const declared: Topology = this.isCluster ? clusterTopology : meshTopology;
    return new Broker({
      url,
      ...(tls !== undefined && { tls }),
      name: `${name} ${role}`,
      topology: topology === 'declare' ? declared : { expected: uses },
      alarm: this.#alarm,
      ...(log === undefined ? {} : { log }),
    });
  }
}
