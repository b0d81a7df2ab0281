import { randomBytes } from 'node:crypto';
import {
  type Broker,
  BrokerError,
  type ConsumerChannels,
  type Delivery,
  type Log,
  type QueueCounts,
  type QueueSpec,
  type TopologyChannels,
} from '@evenkeel/broker';
import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';
import { type Binding, Bindings } from './bindings.js';
import { Incarnation, untilAborted } from './incarnation.js';

/** What an {@link OwnQueue} needs of a {@link Broker}. */
export interface QueueConnection {
  readonly state: Broker['state'];
  on(event: 'lost', fn: (why: string) => void): () => void;
  whenOpen(): Promise<void>;
  redeclare(): Promise<void>;
  topology(options: { channels: number; timeoutMs: number }): QueueTopology;
  consumers(options: { channels: number; prefetch: number }): Pick<ConsumerChannels, 'consume'>;
}

export type QueueTopology = Pick<
  TopologyChannels,
  'declareQueue' | 'checkQueue' | 'deleteQueue' | 'bind' | 'unbind'
>;

/** How a queue is to be. */
export interface OwnQueueOptions {
  /**
   * First part of the name; a new random word follows each time it is made, since the last one may still be locked to a
   * connection that was lost. With `isDurable` or `isNamed`: the whole name.
   */
  name: string;
  /** Exclusive, under this very name: whoever else declares it is told `queue-locked`. Default false. */
  isNamed?: boolean;
  /** Not exclusive but durable, shared with other processes, kept when its connection goes. Default false. */
  isDurable?: boolean;
  /** `x-max-length`, `x-message-ttl`, …: every queue has its limits. */
  arguments?: Record<string, unknown>;
  /** What it always receives. */
  bindings?: readonly Binding[];
  /** Unacknowledged deliveries at most. Default 512. */
  prefetch?: number;
  /** Consumed from the start; else after {@link OwnQueue.consume}. Default true. */
  isConsumed?: boolean;
  /** Called synchronously per message, which it settles. */
  onDelivery?(delivery: Delivery): void;
  /** There is no queue, or none that is consumed; what is published now does not arrive. */
  onLost?(why: string): void;
  /**
   * A new queue is there, with `bindings` and its consumer: what was published since before the loss may be missing. Called
   * before the first delivery from it. Not called for the first one. Bindings made by `bind` follow, each with `onRestored`.
   * One that is durable may be the old one with its messages.
   */
  onRemade?(): void;
  /** A binding made by `bind` is back; its first messages may have come just before. */
  onRestored?(binding: Binding): void;
  /** It could not be made, and is tried again. */
  onFailed?(error: unknown): void;
  /** What each look at the queue has shown. */
  onChecked?(counts: QueueCounts): void;
  /** How often it is looked for, for the case that nobody has told of its end. Default 3000. */
  checkEveryMs?: number;
  log?: Log;
  /** Source of jitter, for tests. Default `Math.random`. */
  random?: () => number;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };
const retry = { minMs: 100, maxMs: 2_000 };
/** A queue that held so long was no failed attempt. */
const heldMs = 5_000;
const operationTimeoutMs = 30_000;
/** On one alone ten thousand bindings wait for ten thousand answers in turn. Opened when they are used. */
const bindingChannels = 8;
const bindTimeoutMs = 10_000;

/**
 * A queue that is there as long as this is started: declared with its arguments, bound, and consumed, and all of that again
 * whenever it goes, be it with the connection, by the broker's cancel, by deletion, or with everything on the broker. One
 * attempt after the other, with back-off, until it holds. After the topology of its connection.
 */
export class OwnQueue {
  readonly #options: OwnQueueOptions;
  readonly #connection: QueueConnection;
  readonly #topology: QueueTopology;
  readonly #consumers: Pick<ConsumerChannels, 'consume'>;
  readonly #bindings: Bindings;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #failureLog = new LogLimit(5_000);
  #wantsConsumer: boolean;
  #at: Incarnation | undefined;
  #isUp = false;
  #made = 0;
  #reason = 'not started';
  #running: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #whenUp: (() => void)[] = [];

  /** Touches nothing: {@link OwnQueue.start} does. */
  constructor(connection: QueueConnection, options: OwnQueueOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#log = options.log ?? silent;
    this.#wantsConsumer = options.isConsumed ?? options.onDelivery !== undefined;
    this.#topology = connection.topology({ channels: 1, timeoutMs: operationTimeoutMs });
    this.#consumers = connection.consumers({ channels: 1, prefetch: options.prefetch ?? 512 });
    this.#bindings = new Bindings({
      channels: Array.from({ length: bindingChannels }, () =>
        connection.topology({ channels: 1, timeoutMs: operationTimeoutMs }),
      ),
      redeclare: () => connection.redeclare(),
      onRestored: (binding) => this.#tell('restored', () => options.onRestored?.(binding)),
      onFault: (why) => this.#at?.end(why),
      log: this.#log,
    });
  }

  /** Its name at this moment; empty while there is none. */
  get name(): string {
    return this.#at?.name ?? '';
  }

  /** It is there, bound with everything, and consumed where it is to be. */
  get isReady(): boolean {
    return this.readiness() === true;
  }

  /** True, or why it is not ready. */
  readiness(): true | string {
    const { name } = this.#options;
    if (!this.#isUp) return `queue ${name}: ${this.#reason}`;
    const { missing } = this.#bindings;
    return missing === 0 || `queue ${name}: ${missing} of ${this.#bindings.size} bindings to be made`;
  }

  /**
   * Makes it and keeps it. Resolves when it is there for the first time; waits for ever meanwhile.
   * @throws BrokerError `broker-closed` when `signal` aborts, or it is stopped, or its connection is closed first.
   */
  async start(signal?: AbortSignal): Promise<void> {
    this.#reason = 'not made yet';
    this.#running ??= this.#run();
    if (this.#isUp) return;
    const isUp = new Promise<void>((resolve) => this.#whenUp.push(resolve));
    // It ends without a stop where its connection is closed.
    const isOver = this.#running.then(() => {
      throw new Error(this.#reason);
    });
    const { signal: stopping } = this.#stopping;
    try {
      await untilAborted(untilAborted(Promise.race([isUp, isOver]), stopping), signal ?? stopping);
    } catch (cause) {
      throw new BrokerError('broker-closed', `Queue ${this.#options.name}: starting was aborted.`, cause);
    }
  }

  /** Stops consuming, and lets an exclusive queue go. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#at?.end('stopping');
    await this.#running;
    this.#bindings.close();
  }

  /** Consumes from now on. Resolves when it does, or at once while there is no queue: then as soon as there is one. */
  async consume(): Promise<void> {
    this.#wantsConsumer = true;
    await this.#adjust();
  }

  /** Consumes no more. Nothing is delivered after it has resolved; what was delivered may be settled still. */
  async pause(): Promise<void> {
    this.#wantsConsumer = false;
    await this.#adjust();
  }

  /**
   * Binds, and remembers it for every queue to come. What is done to one binding is done in the order of the calls. A repeated
   * binding changes nothing and waits for the first.
   * @throws BrokerError `broker-unavailable` when it is not bound in time: it is tried on until {@link OwnQueue.unbind}.
   * `topology-refused`: it is forgotten. `topology-overflow` beyond 100,000 bindings.
   */
  bind(exchange: string, key: string, timeoutMs: number = bindTimeoutMs): Promise<void> {
    return this.#bindings.bind({ exchange, key }, timeoutMs);
  }

  /** Forgets a binding. Resolves when it is gone, at once while there is no queue. A pending `bind` of it is rejected. */
  unbind(exchange: string, key: string): Promise<void> {
    return this.#bindings.unbind({ exchange, key });
  }

  /** Something shows that the queue is not what it should be: it is looked for now, and made again where it is gone. */
  async check(): Promise<void> {
    const at = this.#at;
    if (at === undefined || at.isChecking) return;
    at.isChecking = true;
    try {
      const counts = await this.#topology.checkQueue(at.name);
      if (this.#at !== at) return;
      if (counts === undefined) return at.end('it was deleted');
      if (at.consumer?.state === 'active' && counts.consumers === 0) return at.end('its consumer is gone');
      // Also where its exchange was deleted and declared again.
      await this.#bindAll(at.name);
      if (this.#at === at) this.#tell('checked', () => this.#options.onChecked?.(counts));
    } catch (error) {
      if (this.#at !== at || !(error instanceof BrokerError)) return;
      if (error.code === 'no-queue') await this.#connection.redeclare().catch(() => {});
      if (error.code === 'no-queue' || error.code === 'queue-locked') at.end(error.message);
    } finally {
      at.isChecking = false;
    }
  }

  /** It is not what it should be, though it is there: it is made again. `why`: for the log. */
  remake(why: string): void {
    this.#at?.end(why);
  }

  /** Its counts, not older than the call; undefined where there is no queue, or no answer. */
  async counts(): Promise<QueueCounts | undefined> {
    const at = this.#at;
    const counts = at && (await this.#topology.checkQueue(at.name).catch(() => undefined));
    return this.#at === at ? counts : undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { random = Math.random } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await untilAborted(this.#connection.whenOpen(), signal);
      } catch {
        break;
      }
      const at = await this.#make();
      if (at !== undefined) {
        const why = await this.#hold(at);
        if (performance.now() - at.madeAtMs > heldMs) attempt = 0;
        await this.#letGo(at, why);
      }
      await sleep(backoffMs(attempt, retry, random), signal).catch(() => {});
    }
    this.#reason = signal.aborted ? 'stopped' : 'the connection to RabbitMQ is closed';
    this.#bindings.close();
  }

  async #make(): Promise<Incarnation | undefined> {
    const { name, isDurable = false, isNamed = false } = this.#options;
    const at = new Incarnation(
      isDurable || isNamed ? name : `${name}.${randomBytes(6).toString('base64url')}`,
    );
    try {
      const { signal } = this.#stopping;
      await untilAborted(this.#declare(at.name), signal);
      await untilAborted(this.#bindAll(at.name), signal);
      this.#at = at;
      await untilAborted(this.#adjust(), signal);
      if (at.isOver) throw new Error(await at.ended);
      this.#up(at);
      this.#bindings.attach(at.name);
      return at;
    } catch (error) {
      this.#at = undefined;
      this.#isUp = false;
      if (this.#stopping.signal.aborted) return undefined;
      this.#reason = error instanceof Error ? error.message : String(error);
      const suppressed = this.#failureLog.pass(performance.now());
      if (suppressed !== undefined) {
        this.#log.warn({ queue: name, reason: this.#reason, suppressed }, 'queue not made yet');
      }
      this.#tell('failed', () => this.#options.onFailed?.(error));
      if (error instanceof BrokerError && error.code === 'no-queue') {
        await this.#connection.redeclare().catch(() => {});
      }
      await this.#remove(at);
      return undefined;
    }
  }

  async #declare(name: string): Promise<void> {
    const { isDurable = false } = this.#options;
    const spec: QueueSpec = {
      name,
      durable: isDurable,
      exclusive: !isDurable,
      ...(this.#options.arguments === undefined ? {} : { arguments: this.#options.arguments }),
    };
    await this.#topology.declareQueue(spec);
  }

  async #bindAll(queue: string): Promise<void> {
    for (const { exchange, key } of this.#options.bindings ?? []) {
      await this.#topology.bind(queue, exchange, key);
    }
  }

  /** Called once the broker has answered to the consume, or by the first delivery, which may come before. */
  #up(at: Incarnation): void {
    if (this.#isUp || this.#at !== at) return;
    this.#isUp = true;
    this.#made += 1;
    this.#log.info({ queue: at.name }, this.#made === 1 ? 'queue made' : 'queue made again');
    if (this.#made > 1) this.#tell('remade', () => this.#options.onRemade?.());
    for (const resolve of this.#whenUp.splice(0)) resolve();
  }

  async #hold(at: Incarnation): Promise<string> {
    const offLost = this.#connection.on('lost', (why) => at.end(why));
    if (this.#connection.state !== 'open') at.end('connection lost');
    const looking = setInterval(() => void this.check(), this.#options.checkEveryMs ?? 3_000);
    try {
      return await at.ended;
    } finally {
      offLost();
      clearInterval(looking);
    }
  }

  async #letGo(at: Incarnation, why: string): Promise<void> {
    this.#isUp = false;
    this.#at = undefined;
    this.#reason = why;
    this.#bindings.detach();
    if (!this.#stopping.signal.aborted) {
      this.#log.warn({ queue: at.name, reason: why }, 'queue lost');
      this.#tell('lost', () => this.#options.onLost?.(why));
    }
    await this.#remove(at);
  }

  /** A listener's fault must not end the keeping of the queue. */
  #tell(event: string, listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#log.error({ queue: this.#options.name, event, err: error }, 'queue listener threw');
    }
  }

  /** It may be there still, with nobody to read it. */
  async #remove(at: Incarnation): Promise<void> {
    at.isOver = true;
    if (this.#connection.state !== 'open') return;
    await at.consumer?.cancel().catch(() => {});
    // By its name it may be somebody else's by now.
    if (this.#options.isDurable || this.#options.isNamed) return;
    // At the end it goes with the connection too, which may be slow to answer by now.
    const removed = this.#topology.deleteQueue(at.name).catch(() => {});
    if (!this.#stopping.signal.aborted) await removed;
  }

  /** Consumes or not, as wanted; one change after the other. */
  #adjust(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#adjustOnce());
    return this.#turn;
  }

  async #adjustOnce(): Promise<void> {
    const at = this.#at;
    if (at === undefined || at.isOver) return;
    if (!this.#wantsConsumer) {
      const { consumer } = at;
      at.consumer = undefined;
      await consumer?.cancel();
      return;
    }
    if (at.consumer !== undefined) return;
    const onDelivery = this.#options.onDelivery ?? ((delivery: Delivery) => delivery.ack());
    try {
      at.consumer = await this.#consumers.consume(at.name, {
        recovers: false,
        exclusive: !this.#options.isDurable,
        onDelivery: (delivery) => {
          this.#up(at);
          onDelivery(delivery);
        },
        onLost: (why) => at.end(why === 'cancelled' ? 'it was deleted' : 'its channel was closed'),
      });
    } catch (error) {
      at.end(error instanceof Error ? error.message : String(error));
    }
  }
}
