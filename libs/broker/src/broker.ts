import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';
import type { ChannelModel } from 'amqplib';
import { AmqpConnection, type ConnectionEvent } from './connection.js';
import { ConsumerChannels, type ConsumerOptions } from './consumer-channels.js';
import { BrokerError, messageOf } from './errors.js';
import type { ConnectionFigures } from './figures.js';
import { Publisher, type PublisherOptions } from './publisher.js';
import { readStreamPart, type StreamPart } from './stream-part.js';
import { type StreamListener, StreamReader, type StreamReaderOptions } from './stream-reader.js';
import { declareTopology } from './topology.js';
import { TopologyChannels, type TopologyOptions } from './topology-channels.js';
import type { BrokerOptions, Topology } from './types.js';

/** How to connect for the first time. */
export interface ConnectOptions extends BrokerOptions {
  /** Gives up connecting. Has no effect once connected. */
  signal?: AbortSignal;
  /** First connects tried. Default: no limit; 1 fails at once. What the broker refuses fails at once. */
  attempts?: number;
}

/** Version of RabbitMQ. */
const streamsWrittenFrom = 4;
const REDECLARE = { minMs: 500, maxMs: 5000 };

/**
 * One AMQP connection that recovers by itself with full-jitter back-off, re-declaring its topology before
 * anything else. Publishers and consumers made from it survive reconnects, and may be made before it is open. Use one
 * for consuming and another for publishing: a broker alarm blocks a publishing connection whole, acknowledgements included.
 */
export class Broker {
  readonly #connection: AmqpConnection;
  readonly #topologies: Topology[];
  #undeclared: string | undefined;
  #redeclaring: Promise<void> | undefined;
  /** The connection on which it is tried again and again. */
  #retriedOn: ChannelModel | undefined;

  readonly #missingLimit = new LogLimit(1_000);

  /** Touches nothing: {@link Broker.open} connects. @throws BrokerError `bad-address` */
  constructor(options: BrokerOptions) {
    this.#connection = new AmqpConnection(options);
    this.#connection.onMissing = () => {
      // Somebody may publish again and again to what nobody declares.
      if (this.#missingLimit.pass(performance.now()) !== undefined) this.redeclare().catch(() => {});
    };
    this.#topologies = options.topology === undefined ? [] : [options.topology];
    this.#connection.beforeOpen = async (model) => {
      try {
        await this.#declareAll(model);
      } catch (error) {
        if (!(error instanceof BrokerError)) throw error;
        this.#connection.log.warn({ error: error.message }, 'topology declaration failed, retrying');
        void this.#declareLater();
      }
    };
  }

  /**
   * A broker that is connected: resolves on the first open.
   * @throws BrokerError `bad-address` and `broker-refused` at once, `broker-unreachable` after `attempts`, `broker-closed` on
   * abort.
   */
  static async connect(options: ConnectOptions): Promise<Broker> {
    const broker = new Broker(options);
    const { attempts = Number.POSITIVE_INFINITY, signal } = options;
    await broker.#connection.start(attempts, signal, true);
    return broker;
  }

  /**
   * Connects, once; resolves on the first open. Tries for ever, also where the broker refuses the login: {@link
   * Broker.readiness} has the reason meanwhile.
   * @throws BrokerError `broker-closed` when `signal` aborts or the broker is closed first.
   */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.start(Number.POSITIVE_INFINITY, signal, false);
  }

  get state(): 'connecting' | 'open' | 'closed' {
    return this.#connection.state;
  }

  /** The broker has raised an alarm and takes no messages from this connection. */
  get isBlocked(): boolean {
    return this.#connection.isBlocked;
  }

  /**
   * Whether RabbitMQ may confirm messages that it does not write to a stream: as a cluster, before 4.0 (rabbitmq-server#12236). Not on a
   * channel whose every message goes to that one stream. False while there is no connection.
   */
  get mayMissStreams(): boolean {
    return this.#connection.isToSeveral && this.#connection.serverMajor < streamsWrittenFrom;
  }

  /** `host:port` of each address that it has. */
  get addresses(): readonly string[] {
    return this.#connection.addresses;
  }

  /** `host:port` of the one that it is connected to; undefined while there is no connection. */
  get address(): string | undefined {
    return this.#connection.address;
  }

  /** For `ms` it connects to this address only where no other answers. Now it stays where it is. */
  avoid(address: string, ms: number): void {
    this.#connection.avoid(address, ms);
  }

  /** Gives its connection up and connects anew, as after a loss. */
  renew(): void {
    this.#connection.renew();
  }

  /** What it does at this moment, for metrics. */
  figures(): ConnectionFigures {
    return this.#connection.figures();
  }

  /** Whether it is connected and its topology declared; else why not. An alarm is no reason: what is consumed goes on. */
  readiness(): true | string {
    if (this.state === 'closed') return 'the connection to RabbitMQ is closed';
    if (this.state !== 'open') return this.#connection.failure ?? 'not connected to RabbitMQ yet';
    return this.#undeclared ?? true;
  }

  /** Calls `fn` on every such event, `open` also after a reconnect; returns the unsubscriber. */
  on(event: ConnectionEvent, fn: (detail: string) => void): () => void {
    return this.#connection.on(event, fn);
  }

  /** @throws BrokerError `broker-unavailable` after `timeoutMs`, `broker-closed`. */
  whenOpen(timeoutMs?: number): Promise<void> {
    return this.#connection.whenOpen(timeoutMs);
  }

  /**
   * Declares `t` now and again after every reconnect, before consumers.
   * @throws BrokerError `no-exchange`, `topology-refused`, `queue-locked`; `t` is not remembered then.
   */
  async declare(t: Topology): Promise<void> {
    for (;;) {
      await this.#connection.whenOpen();
      const model = this.#connection.model;
      if (!model) continue;
      try {
        await declareTopology(model, t, this.#connection.log);
        break;
      } catch (error) {
        if (this.#connection.model === model) throw error;
      }
    }
    this.#topologies.push(t);
  }

  /**
   * Waits until these exchanges, which somebody else declares, are there, and looks for them on every connection from then
   * on: `attempts` times at most, by default without end.
   * @throws BrokerError `no-exchange` after `attempts`, `broker-closed`.
   */
  async expect(exchanges: readonly string[], attempts = Number.POSITIVE_INFINITY): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.declare({ expected: exchanges });
      } catch (error) {
        const isMissing = error instanceof BrokerError && error.code === 'no-exchange';
        if (!isMissing || attempt + 1 >= attempts) throw error;
        this.#connection.log.warn({ error: error.message }, 'waiting for the mesh');
      }
      const delayMs = backoffMs(attempt, REDECLARE, this.#connection.random);
      // A closed connection is the next attempt's to report.
      await sleep(delayMs, this.#connection.closing).catch(() => {});
    }
  }

  /**
   * Declares everything once more, for what has vanished while the connection lived. What fails is tried again by itself.
   * @throws BrokerError `no-exchange`, `topology-refused`, `queue-locked`; a plain error without a connection.
   */
  redeclare(): Promise<void> {
    const model = this.#connection.model;
    if (!model) return Promise.reject(new Error('connection lost'));
    this.#redeclaring ??= this.#declareAll(model)
      .catch((error: unknown) => {
        void this.#declareLater();
        throw error;
      })
      .finally(() => {
        this.#redeclaring = undefined;
      });
    return this.#redeclaring;
  }

  /** A pool of channels for declaring, binding and looking. */
  topology(options?: TopologyOptions): TopologyChannels {
    return new TopologyChannels(this.#connection, options);
  }

  /** A publisher with confirms. Make few. */
  publisher(options?: PublisherOptions): Publisher {
    return new Publisher(this.#connection, options);
  }

  /** A set of channels for any number of consumers. Make one. */
  consumers(options?: ConsumerOptions): ConsumerChannels {
    return new ConsumerChannels(this.#connection, options);
  }

  /** Reads a stream whole, or from where `options` say, and goes on reading; start it. */
  stream(queue: string, listener: StreamListener, options?: StreamReaderOptions): StreamReader {
    return new StreamReader(this.#connection, queue, listener, options);
  }

  /**
   * Reads a part of a stream once, on a channel of its own. Resolves with whether it was read as far as `onRecord` wanted.
   * @throws what the broker says; BrokerError `broker-unavailable` without a connection.
   */
  readStreamPart(queue: string, part: StreamPart): Promise<boolean> {
    return readStreamPart(this.#connection, queue, part);
  }

  /** Closes; waiting operations reject with `broker-closed`. Idempotent. Flush publishers before. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  async #declareAll(model: ChannelModel): Promise<void> {
    try {
      for (const t of this.#topologies) await declareTopology(model, t, this.#connection.log);
      this.#undeclared = undefined;
    } catch (error) {
      this.#undeclared = messageOf(error);
      throw error;
    }
  }

  /**
   * An exclusive queue stays locked until the broker has noticed the end of its old connection; what somebody else declares
   * comes when that one does.
   */
  async #declareLater(): Promise<void> {
    await this.#connection.whenOpen().catch(() => {});
    const model = this.#connection.model;
    if (model === undefined || this.#retriedOn === model) return;
    this.#retriedOn = model;
    await this.#declareUntilDone(model);
    if (this.#retriedOn === model) this.#retriedOn = undefined;
  }

  async #declareUntilDone(model: ChannelModel): Promise<void> {
    for (let attempt = 0; this.#connection.model === model; attempt++) {
      const delayMs = backoffMs(attempt, REDECLARE, this.#connection.random);
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
      if (this.#connection.model !== model) return;
      try {
        await this.#declareAll(model);
        return;
      } catch (error) {
        this.#connection.log.warn({ error: messageOf(error) }, 'topology declaration failed, retrying');
      }
    }
  }
}
