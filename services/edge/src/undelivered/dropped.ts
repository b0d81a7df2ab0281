import type { Broker, ConsumerChannels, Delivery } from '@evenkeel/broker';
import { SharedQueue } from '@evenkeel/mesh';
import { LogLimit, sleep } from '@evenkeel/pace';
import { queues } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { discarded } from '../memory/discarded.js';
import { readDeadLetter } from './message.js';
import type { Undelivered } from './undelivered.js';

/** Dead letters that an edge has in hand; the other edges take their part. */
const droppedPrefetch = 8;
/** What could not be published is tried again after this, ms. */
const againMs = 1_000;
const logEveryMs = 30_000;

export interface DroppedEventsOptions {
  connection: Pick<Broker, 'whenOpen'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  undelivered: Pick<Undelivered, 'publish'>;
  log: Pick<Log, 'warn'>;
  random(): number;
}

/**
 * What RabbitMQ drops from the queues of sessions, by their limits or by expiry, becomes messages on `mesh.undelivered`. All edges
 * share the work.
 */
export class DroppedEvents {
  /** Dead letters that are no event: seals, replies, and what is not from a session's queue. */
  leftOut = 0;
  readonly #options: DroppedEventsOptions;
  readonly #queue: SharedQueue;
  readonly #failedLog = new LogLimit(logEveryMs);

  constructor(options: DroppedEventsOptions) {
    this.#options = options;
    this.#queue = new SharedQueue({
      ...options,
      name: queues.dropped,
      prefetch: droppedPrefetch,
      onDelivery: (delivery) => void this.#take(delivery),
      missing: 'dropped events are not consumed yet',
    });
  }

  /** Consumes from now on, for as long as there is a queue to consume. */
  start(): void {
    this.#queue.start();
  }

  /** What is in hand goes back to the queue with the connection. */
  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #take(delivery: Delivery): Promise<void> {
    const read = readDeadLetter(delivery);
    if (read === undefined) {
      this.leftOut += 1;
      return delivery.ack();
    }
    try {
      await this.#options.undelivered.publish(delivery, read.why, read.owner);
      discarded(delivery.body);
      delivery.ack();
    } catch (error) {
      const suppressed = this.#failedLog.pass(performance.now());
      if (suppressed !== undefined)
        this.#options.log.warn({ err: error, suppressed }, 'dropped event not published, trying again');
      await sleep(againMs, this.#queue.stopping).catch(() => {});
      delivery.requeue();
    }
  }
}
