import { randomBytes } from 'node:crypto';
import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
import { cancelTypes, exchanges, takenKey } from '@evenkeel/protocol/wire';
import type { Receipt } from './message.js';

export interface ReceiptsOptions {
  /** Of the application service. */
  readonly name: string;
  readonly topology: Pick<TopologyChannels, 'declareExactly' | 'bind'>;
  readonly consumers: Pick<ConsumerChannels, 'consume'>;
  /** A handler has thrown. */
  onError(error: unknown): void;
}

type Handler = (receipt: Receipt) => unknown;

/** Events whose receipts are handed on; of older ones they are not. */
const maxAwaited = 10_000;
/** How long the queue is kept while nobody consumes it, ms, and how many messages it holds. */
const queueArguments = { 'x-expires': 60_000, 'x-max-length': 100_000 };

/** Hears, on `mesh.cancel`, which events of this instance clients have acknowledged; from the first that wants to know on. */
export class Receipts {
  /** What edges are told to send them to. */
  readonly word = randomBytes(9).toString('base64url');
  readonly #options: ReceiptsOptions;
  readonly #awaited = new Map<string, Handler>();
  #listening: Promise<void> | undefined;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
  }

  /** Resolves once no receipt can be missed. */
  async listen(): Promise<void> {
    this.#listening ??= this.#listen();
    try {
      await this.#listening;
    } catch (error) {
      this.#listening = undefined;
      throw error;
    }
  }

  /** Hands on the receipts of the event `id` from now on. */
  add(id: string, handler: Handler): void {
    this.#awaited.delete(id);
    this.#awaited.set(id, handler);
    for (const oldest of this.#awaited.keys()) {
      if (this.#awaited.size <= maxAwaited) break;
      this.#awaited.delete(oldest);
    }
  }

  async #listen(): Promise<void> {
    const { name, topology, consumers } = this.#options;
    const queue = `service.${name}.receipts:${this.word}`;
    const prepare = async () => {
      await topology.declareExactly({ name: queue, arguments: queueArguments });
      await topology.bind(queue, exchanges.cancel, takenKey(this.word));
    };
    await prepare();
    await consumers.consume(queue, { prepare, onDelivery: (delivery) => this.#take(delivery) });
  }

  #take(delivery: Delivery): void {
    const receipt = delivery.properties.type === cancelTypes.receipt ? read(delivery.body) : undefined;
    const handler = receipt && this.#awaited.get(receipt.id);
    delivery.ack();
    if (receipt === undefined || handler === undefined) return;
    Promise.resolve(receipt)
      .then(handler)
      .catch((error: unknown) => this.#options.onError(error));
  }
}

function read(body: Buffer): Receipt | undefined {
  try {
    const { id, user, session, at } = JSON.parse(body.toString()) as Record<string, unknown>;
    const isReceipt =
      typeof id === 'string' &&
      typeof user === 'string' &&
      typeof session === 'string' &&
      typeof at === 'number';
    return isReceipt ? { id, user, session, at } : undefined;
  } catch {
    return undefined;
  }
}
