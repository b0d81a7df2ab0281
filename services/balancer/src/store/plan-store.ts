import type { Consumer, ConsumerChannels, Delivery, Publisher, TopologyChannels } from '@evenkeel/broker';
import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import type { NewerState, SavedState } from '../core/state.js';
import { readState } from './saved-state.js';

/** Holds one message: the state that the leader saved last. */
const planQueue = 'mesh.plan';

/** How long a state that another balancer holds is waited for. */
const readTimeoutMs = 3_000;
/** A state that its reader is just putting back is in sight again after this long. */
const putBackMs = 300;
/** A queue that was deleted is waited for this long while a state is to be written. */
const remakeTimeoutMs = 10_000;

interface Pending {
  readonly state: SavedState;
  readonly done: (() => void)[];
  readonly failed: ((error: unknown) => void)[];
}

/**
 * The leader's state, as one persistent message in a queue of length one: each new one pushes the last out. The
 * leader holds none of it unacknowledged but in {@link load}, so a successor finds it whenever the leader dies.
 */
export class PlanStore {
  readonly queue: OwnQueue;
  readonly #consumers: ConsumerChannels;
  readonly #topology: TopologyChannels;
  readonly #publisher: Publisher;
  readonly #log: Log;
  readonly #mayWrite: () => boolean;
  #pending: Pending | undefined;
  #isWriting = false;

  /**
   * `onRemade`: the queue was gone for a while, and the state may be gone with it. `mayWrite`: asked before each write, since one
   * that has waited may be another leader's to make by then.
   */
  constructor(mesh: Mesh, log: Log, { onRemade, mayWrite }: { onRemade(): void; mayWrite(): boolean }) {
    this.queue = mesh.durableQueue({
      name: planQueue,
      arguments: { 'x-max-length': 1, 'x-overflow': 'drop-head' },
      isConsumed: false,
      onRemade,
    });
    this.#consumers = mesh.consuming.consumers({ channels: 1, prefetch: 1 });
    this.#topology = mesh.consuming.topology({ channels: 1 });
    this.#publisher = mesh.publisher;
    this.#log = log;
    this.#mayWrite = mayWrite;
  }

  /**
   * The state saved last; undefined when there is none or it cannot be read. Leaves it in the queue, also one of a later
   * version. One that another balancer
   * is reading, or died over, is waited for.
   */
  async load(): Promise<SavedState | NewerState | undefined> {
    const endsAtMs = performance.now() + readTimeoutMs;
    if (!(await this.#isThere(endsAtMs))) return undefined;
    let got: (d: Delivery | undefined) => void = () => {};
    const first = new Promise<Delivery | undefined>((resolve) => {
      got = resolve;
    });
    const timer = setTimeout(() => got(undefined), Math.max(0, endsAtMs - performance.now()));
    let consumer: Consumer | undefined;
    try {
      consumer = await this.#consumers.consume(planQueue, { onDelivery: (d) => got(d), recovers: false });
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

  /** Whether there is a state to wait for: one in sight, or somebody who may be holding it. */
  async #isThere(endsAtMs: number): Promise<boolean> {
    let isSecondLook = false;
    for (;;) {
      const counts = await this.#topology.checkQueue(planQueue);
      if (counts === undefined) return false;
      if (counts.messages > 0) return true;
      if (performance.now() > endsAtMs) return false;
      if (counts.consumers === 0 && isSecondLook) return false;
      // Whoever reads it cancels first and puts it back then: for a moment there is neither.
      isSecondLook = counts.consumers === 0;
      await sleep(putBackMs);
    }
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    for (let next = this.#pending; next !== undefined; next = this.#pending) {
      this.#pending = undefined;
      try {
        await this.#publish(JSON.stringify(next.state));
        for (const done of next.done) done();
      } catch (error) {
        this.#log.error({ err: error }, 'plan state not saved');
        for (const failed of next.failed) failed(error);
      }
    }
    this.#isWriting = false;
  }

  async #publish(body: string): Promise<void> {
    const endsAtMs = performance.now() + remakeTimeoutMs;
    for (;;) {
      if (!this.#mayWrite()) throw new Error('this balancer does not lead for certain');
      const properties = { persistent: true, mandatory: true, contentType: 'application/json' };
      if ((await this.#publisher.publish('', planQueue, body, properties)) === 'routed') return;
      if (performance.now() > endsAtMs) throw new Error(`there is no queue ${planQueue} to save to`);
      await this.queue.check();
      await sleep(putBackMs);
    }
  }

  #parse(body: Buffer): SavedState | NewerState | undefined {
    try {
      const read = readState(JSON.parse(body.toString('utf8')));
      if ('newer' in read) return read;
      const { state, unreadable } = read;
      if (unreadable !== undefined) {
        this.#log.error(
          { reason: unreadable },
          'saved plan unreadable; only pauses and drains are taken over',
        );
      }
      return state;
    } catch (error) {
      this.#log.error({ err: error }, 'saved state unreadable, dropped');
      return undefined;
    }
  }
}
