import { randomBytes } from 'node:crypto';
import type { ConsumerChannels, Delivery, TopologyChannels } from '@evenkeel/broker';
import { cancelTypes, exchanges, takenKey } from '@evenkeel/protocol/wire';
import { AnswerQueue } from './answer-queue.js';
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
/** Receipts that wait in the queue. */
const maxWaiting = 100_000;

/** Hears, on `mesh.cancel`, which events of this instance clients have acknowledged; from the first that wants to know on. */
export class Receipts {
  /** What edges are told to send them to. */
  readonly word = randomBytes(9).toString('base64url');
  readonly #options: ReceiptsOptions;
  readonly #awaited = new Map<string, Handler>();
  readonly #queue: AnswerQueue;

  constructor(options: ReceiptsOptions) {
    this.#options = options;
    const { name, topology, consumers } = options;
    this.#queue = new AnswerQueue({
      queue: `service.${name}.receipts:${this.word}`,
      maxLength: maxWaiting,
      binding: { exchange: exchanges.cancel, key: takenKey(this.word) },
      consuming: async () => ({ topology, consumers }),
      onDelivery: (delivery) => this.#take(delivery),
    });
  }

  /** Resolves once no receipt can be missed. */
  async listen(): Promise<void> {
    await this.#queue.listen();
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
