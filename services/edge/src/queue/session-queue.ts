import type { Consumer, ConsumerChannels, Delivery, QueueCounts, TopologyChannels } from '@evenkeel/broker';
import { exchanges, sessionAddress, sessionQueue, userBinding } from '@evenkeel/protocol';
import { queueSpec } from './spec.js';

/** What a consumer of a session's queue is told. */
export interface SessionQueueListener {
  onDelivery(delivery: Delivery): void;
  /** What was delivered and is not settled is the broker's to deliver again. */
  onLost(): void;
  /** The queue is about to be consumed again; `found`: as it was then, undefined when it had gone and is a new one. */
  onRestored(found: QueueCounts | undefined): void;
}

export interface SessionQueuesOptions {
  topology: Pick<TopologyChannels, 'checkQueue' | 'declareQueue' | 'bind' | 'unbind'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  /** Life of a queue without a consumer, and of an event in it. */
  lifetimeMs: number;
  /** Events at most; the oldest is dropped beyond it. */
  maxLength: number;
}

/** The queues of sessions on the broker. */
export class SessionQueues {
  readonly #options: SessionQueuesOptions;

  constructor(options: SessionQueuesOptions) {
    this.#options = options;
  }

  of(uid: string, sid: string): SessionQueue {
    return new SessionQueue(uid, sid, this.#options);
  }
}

/** One session's queue. It outlives the edge: what is done to it here is done with care for who comes next. */
export class SessionQueue {
  readonly name: string;
  readonly #uid: string;
  readonly #sid: string;
  readonly #options: SessionQueuesOptions;
  #takesReplies = false;

  constructor(uid: string, sid: string, options: SessionQueuesOptions) {
    this.name = sessionQueue(uid, sid);
    this.#uid = uid;
    this.#sid = sid;
    this.#options = options;
  }

  /** Its counts; undefined when there is none. */
  async check(): Promise<QueueCounts | undefined> {
    return await this.#options.topology.checkQueue(this.name);
  }

  /** Declares and binds it, new or not: its first edge may have died between the two. */
  async make(): Promise<void> {
    const { topology, lifetimeMs, maxLength } = this.#options;
    await topology.declareQueue(queueSpec(this.#uid, this.#sid, lifetimeMs, maxLength));
    await topology.bind(this.name, exchanges.events, userBinding(this.#uid));
    if (this.#takesReplies) await this.#bindReplies();
  }

  /**
   * Lets services' replies in, and again wherever it is made again. The binding belongs to the queue: it outlives this edge,
   * and another one's binds once more without harm.
   */
  async takeReplies(): Promise<void> {
    this.#takesReplies = true;
    await this.#bindReplies();
  }

  /** The opposite: what comes by `mesh.replies` is returned to its sender. */
  async refuseReplies(): Promise<void> {
    this.#takesReplies = false;
    const address = sessionAddress(this.#uid, this.#sid);
    await this.#options.topology.unbind(this.name, exchanges.replies, address);
  }

  /** Consumes it, and makes it again where it has gone, until the consumer is cancelled. */
  async consume(listener: SessionQueueListener): Promise<Consumer> {
    return await this.#options.consumers.consume(this.name, {
      onDelivery: (delivery) => listener.onDelivery(delivery),
      onLost: () => listener.onLost(),
      prepare: async () => {
        const found = await this.check();
        await this.make();
        listener.onRestored(found);
      },
    });
  }

  async #bindReplies(): Promise<void> {
    await this.#options.topology.bind(this.name, exchanges.replies, sessionAddress(this.#uid, this.#sid));
  }
}
