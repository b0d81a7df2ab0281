import type { PublishOutcome } from './outgoing.js';
import type { Publisher } from './publisher.js';

/** What is published by one is in order for itself; by two it may come either way round. */
export interface LanesOptions {
  /** One with a channel of its own. */
  make(): Publisher;
  /** Whether there are to be lanes. Once it has been so it stays so: a message must not overtake one of its lane. Default: there are. */
  isNeeded?(): boolean;
  /** A name for what is to go by a channel that nothing else goes by; undefined: by the common one. */
  laneOf(exchange: string, key: string): string | undefined;
  /** Lanes at most; what would need more goes by the common channel. Default 64. */
  most?: number;
}

/** Publishers beside each other, as one: a common one, and one for each lane, made when something goes by it. */
export class PublisherLanes {
  readonly #options: LanesOptions;
  readonly #common: Publisher;
  readonly #lanes = new Map<string, Publisher>();
  #areNeeded = false;

  constructor(options: LanesOptions) {
    this.#options = options;
    this.#common = options.make();
  }

  /** Messages neither confirmed nor given up, of all. */
  get outstanding(): number {
    let all = this.#common.outstanding;
    for (const lane of this.#lanes.values()) all += lane.outstanding;
    return all;
  }

  /** @throws BrokerError as {@link Publisher.publish}. */
  publish(...message: Parameters<Publisher['publish']>): Promise<PublishOutcome> {
    const [exchange, key] = message;
    return this.#of(exchange, key).publish(...message);
  }

  /** Resolves when everything published so far and meanwhile is settled, successfully or not. */
  async flush(): Promise<void> {
    while (this.outstanding > 0) {
      await Promise.all([this.#common, ...this.#lanes.values()].map((each) => each.flush()));
    }
  }

  #of(exchange: string, key: string): Publisher {
    const { isNeeded, laneOf, make, most = 64 } = this.#options;
    this.#areNeeded ||= isNeeded?.() ?? true;
    const name = this.#areNeeded ? laneOf(exchange, key) : undefined;
    if (name === undefined) return this.#common;
    const there = this.#lanes.get(name);
    if (there !== undefined) return there;
    if (this.#lanes.size >= most) return this.#common;
    const lane = make();
    this.#lanes.set(name, lane);
    return lane;
  }
}
