import { BrokerError, type TopologyChannels } from '@evenkeel/broker';
import { sleep } from '@evenkeel/pace';

/** Queues tried at a time, while none of them can be deleted. */
const atOnce = 8;
/** Then they are tried again after this, ms. */
const againMs = 1_000;
/** Remembered at most; the others expire by themselves. */
const maxLeftovers = 100_000;

/** It is somebody's again, or this edge is going: it expires by itself. */
const final: ReadonlySet<string> = new Set(['topology-refused', 'broker-closed']);

export interface LeftoversOptions {
  topology: Pick<TopologyChannels, 'deleteUnusedQueue'>;
}

/**
 * Queues that a session has left behind on a node that was down: each is deleted once its node is back, so that nothing of it is ever
 * delivered behind what came later.
 */
export class Leftovers {
  readonly #topology: LeftoversOptions['topology'];
  readonly #names = new Set<string>();
  #running: Promise<void> | undefined;

  constructor({ topology }: LeftoversOptions) {
    this.#topology = topology;
  }

  get size(): number {
    return this.#names.size;
  }

  add(name: string): void {
    if (this.#names.size >= maxLeftovers) return;
    this.#names.add(name);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    while (this.#names.size > 0) {
      const outcomes = await Promise.all([...this.#names].slice(0, atOnce).map((name) => this.#try(name)));
      if (!outcomes.includes(true)) await sleep(againMs);
    }
  }

  /** Whether it is off the list. */
  async #try(name: string): Promise<boolean> {
    this.#names.delete(name);
    try {
      // One that is consumed has become somebody's again.
      await this.#topology.deleteUnusedQueue(name);
      return true;
    } catch (error) {
      const isOver = error instanceof BrokerError && final.has(error.code);
      // At the end: others may be on a node that is back.
      if (!isOver) this.#names.add(name);
      return isOver;
    }
  }
}
