import type {
  Broker,
  Consumer,
  ConsumerChannels,
  Delivery,
  Publisher,
  TopologyChannels,
} from '@evenkeel/broker';
import type { Log } from '@evenkeel/runtime';
import type { SavedState } from '../core/balancer.js';
import { savedState } from './saved-state.js';

/** Holds one message: the state that the leader saved last. */
export const planQueue = 'mesh.plan';

const READ_TIMEOUT_MS = 3000;

/**
 * The leader's state, as one persistent message in a queue of length one: each new one pushes the last out. The
 * leader holds none of it unacknowledged but in {@link load}, so a successor finds it whenever the leader dies.
 */
export class PlanStore {
  readonly #consuming: Broker;
  readonly #consumers: ConsumerChannels;
  readonly #topology: TopologyChannels;
  readonly #publisher: Publisher;
  readonly #log: Log;
  #pending: { state: SavedState; done: (() => void)[]; failed: ((error: unknown) => void)[] } | undefined;
  #isWriting = false;

  constructor(consuming: Broker, publisher: Publisher, log: Log) {
    this.#consuming = consuming;
    this.#consumers = consuming.consumers({ channels: 1, prefetch: 1 });
    this.#topology = consuming.topology({ channels: 1 });
    this.#publisher = publisher;
    this.#log = log;
  }

  async declare(): Promise<void> {
    await this.#consuming.declare({
      queues: [{ name: planQueue, arguments: { 'x-max-length': 1, 'x-overflow': 'drop-head' } }],
    });
  }

  /** The state saved last; undefined when there is none or it cannot be read. Leaves it in the queue. */
  async load(): Promise<SavedState | undefined> {
    const deadlineMs = performance.now() + READ_TIMEOUT_MS;
    // A leader that died while reading has it back in the queue a moment later.
    const counts = await this.#topology.checkQueue(planQueue);
    if (counts === undefined || counts.messages === 0) return undefined;
    let got: (d: Delivery | undefined) => void = () => {};
    const first = new Promise<Delivery | undefined>((resolve) => {
      got = resolve;
    });
    const timer = setTimeout(() => got(undefined), Math.max(0, deadlineMs - performance.now()));
    let consumer: Consumer | undefined;
    try {
      consumer = await this.#consumers.consume(planQueue, { onDelivery: (d) => got(d), prefetch: 1 });
      const delivery = await first;
      if (delivery === undefined) return undefined;
      const state = this.#parse(delivery.body);
      await consumer.cancel();
      if (state === undefined) delivery.drop();
      else delivery.requeue();
      await consumer.barrier();
      return state;
    } finally {
      clearTimeout(timer);
      await consumer?.cancel();
    }
  }

  /** Resolves when the broker has `state` on disk. Of several waiting only the last is written. */
  save(state: SavedState): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending = this.#pending ?? { state, done: [], failed: [] };
      this.#pending = { state, done: [...pending.done, resolve], failed: [...pending.failed, reject] };
      if (!this.#isWriting) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let next = this.#pending; next !== undefined; next = this.#pending) {
      this.#pending = undefined;
      try {
        const outcome = await this.#publisher.publish('', planQueue, JSON.stringify(next.state), {
          persistent: true,
          mandatory: true,
          contentType: 'application/json',
        });
        if (outcome === 'unrouted')
          throw new Error(`the queue ${planQueue} is gone; restart a balancer to declare it`);
        for (const done of next.done) done();
      } catch (error) {
        this.#log.error({ err: error }, 'plan state not saved');
        for (const failed of next.failed) failed(error);
      }
    }
    this.#isWriting = false;
  }

  #parse(body: Buffer): SavedState | undefined {
    try {
      return savedState.parse(JSON.parse(body.toString('utf8'))) as SavedState;
    } catch (error) {
      this.#log.error({ err: error }, 'saved plan state unreadable, dropped');
      return undefined;
    }
  }
}
