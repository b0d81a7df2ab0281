import { type Broker, BrokerError, type ConsumerChannels, type Delivery, type Log } from '@evenkeel/broker';
import { backoffMs, LogLimit, sleep } from '@evenkeel/pace';

/** The queue is the balancer's to declare: it may come later, or again. */
const retry = { minMs: 500, maxMs: 5_000 };
const logEveryMs = 30_000;

export interface SharedQueueOptions {
  name: string;
  /** Unsettled deliveries that this process has in hand; the others take their part. */
  prefetch: number;
  connection: Pick<Broker, 'whenOpen'>;
  consumers: Pick<ConsumerChannels, 'consume'>;
  onDelivery(delivery: Delivery): void;
  /** What the log says while there is no queue to consume. */
  missing: string;
  log: Pick<Log, 'warn'>;
  random(): number;
}

/** This process's part of a queue that several consume together, for as long as there is one. */
export class SharedQueue {
  readonly #options: SharedQueueOptions;
  readonly #stopping = new AbortController();
  readonly #missingLog = new LogLimit(logEveryMs);
  #running: Promise<void> | undefined;

  constructor(options: SharedQueueOptions) {
    this.#options = options;
  }

  /** Aborted once it is to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Consumes from now on. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** What is in hand goes back to the queue with the connection. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { connection, random, log, missing } = this.#options;
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        await connection.whenOpen(retry.maxMs);
        await this.#consume();
        attempt = 0;
      } catch (error) {
        if (error instanceof BrokerError && error.code === 'broker-closed') return;
        const suppressed = this.#missingLog.pass(performance.now());
        if (suppressed !== undefined && !signal.aborted) log.warn({ err: error, suppressed }, missing);
      }
      await sleep(backoffMs(attempt, retry, random), signal).catch(() => {});
    }
  }

  /** Resolves when the consumer is lost, or is to stop. */
  async #consume(): Promise<void> {
    const { name, consumers, onDelivery, prefetch } = this.#options;
    const { signal } = this.#stopping;
    let onEnd = () => {};
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const consumer = await consumers.consume(name, {
      onDelivery,
      onLost: onEnd,
      // A look at a queue that is missing is refused to edges by some brokers.
      recovers: false,
      prefetch,
    });
    signal.addEventListener('abort', onEnd);
    if (signal.aborted) onEnd();
    await ended;
    signal.removeEventListener('abort', onEnd);
    if (signal.aborted) await consumer.cancel();
  }
}
