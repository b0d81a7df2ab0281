import { randomBytes } from 'node:crypto';
import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
import { cancelTypes, exchanges, takenKey } from '@evenkeel/protocol/wire';

/** An answer in parts that is under way. */
export interface Followed {
  /** Its client wants no more of it. */
  cancelled(): void;
  /** Its client has taken the parts up to `n`. */
  taken(n: number): void;
}

export interface CancellationsOptions {
  /** Of the application service. */
  readonly name: string;
  readonly topology: Pick<TopologyChannels, 'declareExactly' | 'bind'>;
  readonly consumers: Pick<ConsumerChannels, 'consume'>;
}

/** How long the queue is kept while nobody consumes it, ms, and how many messages it holds. */
const queueArguments = { 'x-expires': 60_000, 'x-max-length': 10_000 };

/** Hears, on `mesh.cancel`, what becomes of the answers in parts of this instance; from the first of them on. */
export class Cancellations {
  /** Which parts were taken is told to who sends this along. */
  readonly word = randomBytes(9).toString('base64url');
  readonly #options: CancellationsOptions;
  readonly #followed = new Map<string, Followed>();
  #listening: Promise<void> | undefined;

  constructor(options: CancellationsOptions) {
    this.#options = options;
  }

  /** Resolves once it is heard what becomes of the answer to the request `id`; with the way to stop. */
  async follow(id: string, followed: Followed): Promise<() => void> {
    this.#followed.set(id, followed);
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      this.#followed.delete(id);
      throw error;
    }
    return () => {
      if (this.#followed.get(id) === followed) this.#followed.delete(id);
    };
  }

  async #listen(): Promise<void> {
    const { name, topology, consumers } = this.#options;
    const queue = `service.${name}.cancel:${this.word}`;
    const prepare = async () => {
      await topology.declareExactly({ name: queue, arguments: queueArguments });
      // Ids of requests have three words at least.
      await topology.bind(queue, exchanges.cancel, '*.*.*.#');
      await topology.bind(queue, exchanges.cancel, takenKey(this.word));
    };
    await prepare();
    await consumers.consume(queue, { prepare, onDelivery: (delivery) => this.#take(delivery) });
  }

  #take(delivery: Delivery): void {
    const { type } = delivery.properties;
    const { id, n } = read(delivery.body);
    const followed = id === undefined ? undefined : this.#followed.get(id);
    if (type === cancelTypes.taken && n !== undefined) followed?.taken(n);
    else if (type === cancelTypes.cancelled) followed?.cancelled();
    delivery.ack();
  }
}

function read(body: Buffer): { id?: string; n?: number } {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value !== 'object' || value === null) return {};
    const { id, n } = value as { id?: unknown; n?: unknown };
    return { ...(typeof id === 'string' && { id }), ...(typeof n === 'number' && { n }) };
  } catch {
    return {};
  }
}
