import type { ConsumerChannels, Delivery, QueueCounts, TopologyChannels } from '@evenkeel/broker';

export interface KeptMessageParts {
  /** Of prefetch 1: whoever looks holds no more than the one. */
  readonly consumers: Pick<ConsumerChannels, 'consume'>;
  readonly topology: Pick<TopologyChannels, 'checkQueue'>;
  /** A queue that delivers nothing for this long may be empty. Longer than another reader takes to put the message back. */
  readonly quietMs: number;
  /** What is there, or may be in another reader's hand, is waited for this long. */
  readonly patienceMs: number;
}

/**
 * Looks at the one message that a queue keeps, and puts it back; one of which `read` makes nothing is dropped. Undefined: there is
 * certainly none.
 * @throws where that is not certain: try again.
 */
export async function readKept<T>(
  queue: string,
  read: (body: Buffer) => T | undefined,
  parts: KeptMessageParts,
): Promise<T | undefined> {
  const before = await parts.topology.checkQueue(queue);
  if (before === undefined) return undefined;
  const look = new Look(queue, parts);
  const consumer = await parts.consumers.consume(queue, {
    onDelivery: (delivery) => look.take(delivery),
    onLost: () => look.lose(),
    recovers: false,
  });
  const doubt = await look.wait(before).catch(String);
  // Until then it may still come, and put back before it would come again.
  const isCancelled = await consumer.cancel();
  const { delivery } = look;
  if (delivery === undefined) {
    if (doubt === undefined && isCancelled) return undefined;
    throw new Error(`It is not known what ${queue} keeps: ${doubt ?? 'its consumer was lost'}.`);
  }
  const value = read(delivery.body);
  if (value === undefined) delivery.drop();
  else delivery.requeue();
  await consumer.barrier();
  return value;
}

class Look {
  delivery: Delivery | undefined;
  readonly #queue: string;
  readonly #parts: KeptMessageParts;
  #isLost = false;
  #onChange = () => {};

  constructor(queue: string, parts: KeptMessageParts) {
    this.#queue = queue;
    this.#parts = parts;
  }

  get #isOver(): boolean {
    return this.delivery !== undefined || this.#isLost;
  }

  take(delivery: Delivery): void {
    this.delivery = delivery;
    this.#onChange();
  }

  lose(): void {
    this.#isLost = true;
    this.#onChange();
  }

  /**
   * Resolves when the message is here, or will not come: with the reason to think that there is one all the same, if there is any.
   * That nothing is counted is none to think there is not: a quorum queue whose leader is out of reach counts 0 of everything.
   */
  async wait(before: QueueCounts): Promise<string | undefined> {
    const { topology, quietMs, patienceMs } = this.#parts;
    const endsAtMs = performance.now() + patienceMs;
    const isThere = before.messages > 0;
    // Whoever reads it cancels first and puts it back then: for a moment there is neither.
    let isAlone = before.consumers === 0;
    for (;;) {
      await this.#change(quietMs);
      if (this.#isOver) return undefined;
      const doubt = isThere ? 'it is not delivered' : doubtOf(await topology.checkQueue(this.#queue));
      if (doubt === undefined && isAlone) return undefined;
      if (performance.now() > endsAtMs) return doubt ?? 'another was consuming it';
      isAlone = doubt === undefined;
    }
  }

  async #change(ms: number): Promise<void> {
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onChange = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Why a queue that has delivered nothing to its one consumer may keep something all the same. */
function doubtOf(counts: QueueCounts | undefined): string | undefined {
  if (counts === undefined) return 'it was deleted just now';
  if (counts.messages > 0) return 'it is not delivered';
  // Its own consumer is missing: the queue has not answered.
  if (counts.consumers === 0) return 'the queue does not answer';
  return counts.consumers > 1 ? 'another consumes it' : undefined;
}
