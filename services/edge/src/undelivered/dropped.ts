import { type Broker, BrokerError, type ConsumerChannels, type Delivery } from '@evenkeel/broker';
import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';
import { queues } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { discarded } from '../memory/discarded.js';
import { readDeadLetter } from './message.js';
import type { Undelivered } from './undelivered.js';

/** Dead letters that an edge has in hand; the other edges take their part. */
export const droppedPrefetch = 8;
/** The queue is the balancer's to declare: it may come later, or again. */
const retry = { minMs: 500, maxMs: 5_000 };
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
  readonly #stopping = new AbortController();
  readonly #missingLog = new LogLimit(logEveryMs);
  readonly #failedLog = new LogLimit(logEveryMs);
  #running: Promise<void> | undefined;

  constructor(options: DroppedEventsOptions) {
    this.#options = options;
  }

  /** Consumes from now on, for as long as there is a queue to consume. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** What is in hand goes back to the queue with the connection. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await this.#options.connection.whenOpen(retry.maxMs);
        await this.#consume();
        attempt = 0;
      } catch (error) {
        if (error instanceof BrokerError && error.code === 'broker-closed') return;
        const suppressed = this.#missingLog.pass(performance.now());
        if (suppressed !== undefined && !signal.aborted)
          this.#options.log.warn({ err: error, suppressed }, 'dropped events are not consumed yet');
      }
      await sleep(backoffMs(attempt, retry, this.#options.random), signal).catch(() => {});
    }
  }

  /** Resolves when the consumer is lost, or is to stop. */
  async #consume(): Promise<void> {
    const { signal } = this.#stopping;
    let onEnd = () => {};
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const consumer = await this.#options.consumers.consume(queues.dropped, {
      onDelivery: (delivery) => void this.#take(delivery),
      onLost: onEnd,
      // A look at a queue that is missing is refused to edges by some brokers.
      recovers: false,
      prefetch: droppedPrefetch,
    });
    signal.addEventListener('abort', onEnd);
    if (signal.aborted) onEnd();
    await ended;
    signal.removeEventListener('abort', onEnd);
    if (signal.aborted) await consumer.cancel();
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
      await sleep(againMs, this.#stopping.signal).catch(() => {});
      delivery.requeue();
    }
  }
}
