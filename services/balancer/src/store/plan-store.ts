import type { Publisher } from '@evenkeel/broker';
import type { Mesh, OwnQueue } from '@evenkeel/mesh';
import { sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import type { NewerState, SavedState } from '../core/state.js';
import { type KeptMessageParts, readKept } from './kept-message.js';
import { readState } from './saved-state.js';

/** Holds one message: the state that the leader saved last. */
const planQueue = 'mesh.plan';

/** How long a state that another balancer holds is waited for, before it is tried anew. */
const patienceMs = 3_000;
/** A state that its reader is just putting back is in sight again after this long. */
const quietMs = 300;
/** The same where a replica that lags may be the one that delivers it. */
const clusterQuietMs = 1_000;
/** A queue that was deleted is waited for this long while a state is to be written, and looked for this often. */
const remakeTimeoutMs = 10_000;
const remakeLookMs = 300;

interface Pending {
  readonly state: SavedState;
  readonly done: (() => void)[];
  readonly failed: ((error: unknown) => void)[];
}

/**
 * The leader's state, as one persistent message in a queue of length one: each new one pushes the last out. The
 * leader holds none of it unacknowledged but in {@link PlanStore.load}, so a successor finds it whenever the leader dies.
 */
export class PlanStore {
  readonly queue: OwnQueue;
  readonly #reading: KeptMessageParts;
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
    this.#reading = {
      consumers: mesh.consuming.consumers({ channels: 1, prefetch: 1 }),
      topology: mesh.consuming.topology({ channels: 1 }),
      quietMs: mesh.isCluster ? clusterQuietMs : quietMs,
      patienceMs,
    };
    this.#publisher = mesh.publisher;
    this.#log = log;
    this.#mayWrite = mayWrite;
  }

  /**
   * The state saved last; undefined when there is none or it cannot be read. Leaves it in the queue, also one of a later
   * version. One that another balancer is reading, or died over, is waited for.
   * @throws where it is not certain that there is none.
   */
  load(): Promise<SavedState | NewerState | undefined> {
    return readKept(planQueue, (body) => this.#parse(body), this.#reading);
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
      await sleep(remakeLookMs);
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
