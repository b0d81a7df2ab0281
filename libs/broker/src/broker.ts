import { backoffMs } from '@evenkeel/pace';
import { ConsumerChannels, type ConsumerOptions } from './consumer-channels.js';
import { BrokerError, messageOf } from './errors.js';
import { Link, type LinkEvent } from './link.js';
import { Publisher, type PublisherOptions } from './publisher.js';
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

const REDECLARE = { minMs: 500, maxMs: 5000 };

/**
 * One AMQP connection that recovers by itself with full-jitter back-off, re-declaring its topology before
 * anything else. Publishers and consumers made from it survive reconnects. Use one for consuming and another
 * for publishing: a broker alarm blocks a publishing connection whole, acknowledgements included.
 */
export class Broker {
  readonly #link: Link;
  readonly #topologies: Topology[] = [];

  private constructor(link: Link) {
    this.#link = link;
    link.beforeOpen = async (model) => {
      for (const t of this.#topologies) {
        try {
          await declareTopology(model, t, link.log);
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
          link.log.warn({ error: error.message }, 'topology declaration failed, retrying');
          void this.#declareLater(t);
        }
      }
    };
  }

  /**
   * Resolves on the first open.
   * @throws BrokerError `broker-unreachable` after `attempts`, `broker-refused` at once, `broker-closed` on abort.
   */
  static async connect(options: ConnectOptions): Promise<Broker> {
    const link = new Link(options);
    const broker = new Broker(link);
    await link.start(options.attempts ?? Number.POSITIVE_INFINITY, options.signal);
    return broker;
  }

  get state(): 'connecting' | 'open' | 'closed' {
    return this.#link.state;
  }

  /** The broker has raised an alarm and takes no messages from this connection. */
  get isBlocked(): boolean {
    return this.#link.isBlocked;
  }

  /** Calls `fn` on every such event, `open` also after a reconnect; returns the unsubscriber. */
  on(event: LinkEvent, fn: (detail: string) => void): () => void {
    return this.#link.on(event, fn);
  }

  /** @throws BrokerError `broker-unavailable` after `timeoutMs`, `broker-closed`. */
  whenOpen(timeoutMs?: number): Promise<void> {
    return this.#link.whenOpen(timeoutMs);
  }

  /**
   * Declares `t` now and again after every reconnect, before consumers.
   * @throws BrokerError `topology-refused`, `queue-locked`; `t` is not remembered then.
   */
  async declare(t: Topology): Promise<void> {
    for (;;) {
      await this.#link.whenOpen();
      const model = this.#link.model;
      if (!model) continue;
      try {
        await declareTopology(model, t, this.#link.log);
        break;
      } catch (error) {
        if (this.#link.model === model) throw error;
      }
    }
    this.#topologies.push(t);
  }

  /** A pool of channels for declaring, binding and looking. */
  topology(options?: TopologyOptions): TopologyChannels {
    return new TopologyChannels(this.#link, options);
  }

  /** A publisher with confirms. Make few. */
  publisher(options?: PublisherOptions): Publisher {
    return new Publisher(this.#link, options);
  }

  /** A set of channels for any number of consumers. Make one. */
  consumers(options?: ConsumerOptions): ConsumerChannels {
    return new ConsumerChannels(this.#link, options);
  }

  /** Closes; waiting operations reject with `broker-closed`. Idempotent. Flush publishers before. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** An exclusive queue stays locked until the broker has noticed the end of its old connection. */
  async #declareLater(t: Topology): Promise<void> {
    await this.#link.whenOpen().catch(() => {});
    const model = this.#link.model;
    for (let attempt = 0; model && this.#link.model === model; attempt++) {
      const delayMs = backoffMs(attempt, REDECLARE, this.#link.random);
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
      if (this.#link.model !== model) return;
      try {
        await declareTopology(model, t, this.#link.log);
        return;
      } catch (error) {
        this.#link.log.warn({ error: messageOf(error) }, 'topology declaration failed, retrying');
      }
    }
  }
}
