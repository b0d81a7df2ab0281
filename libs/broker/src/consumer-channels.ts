import { backoffMs, LogLimit, monotonicNow, TokenBucket } from '@evenkeel/pace';
import { AskingPace } from './answer-clock.js';
import { BusiestFirst } from './busiest-first.js';
import { ChannelConsumer } from './channel-consumer.js';
import { type AmqpConnection, closedError, unavailableError } from './connection.js';
import { BrokerError, isQueueDown, messageOf, REPLY, replyCodeOf } from './errors.js';
import { Shard, shardOf } from './shard.js';
import { TopologyChannels } from './topology-channels.js';
import type { ConsumeOptions, Consumer } from './types.js';

/** Limits of {@link ConsumerChannels}. */
export interface ConsumerOptions {
  /** Channels the consumers are spread over by the hash of their queue. Default 16. */
  channels?: number;
  /** Unacknowledged deliveries per consumer at most. Default 64. */
  prefetch?: number;
  /** Re-consumes a second at most, over all channels. Default 2000. */
  recoverPerSecond?: number;
  /** How long `consume` waits through a connection loss before `broker-unavailable`. Default 30000. */
  timeoutMs?: number;
}

const RECOVERIES_IN_FLIGHT = 64;
const RETRY = { minMs: 100, maxMs: 5000 };

/**
 * Consumers on a few shared channels. A lost consumer recovers by itself: `prepare`, a look whether its
 * queue exists (on a topology channel, since a consume of a missing queue would take its shard down), then
 * basic.consume, paced, the busiest first. Consumers are unlimited in number; each holds at most its prefetch.
 */
export class ConsumerChannels {
  readonly #connection: AmqpConnection;
  readonly #shards: Shard[];
  readonly #prefetch: number;
  readonly #timeoutMs: number;
  readonly #topology: TopologyChannels;
  readonly #questions: TopologyChannels;
  readonly #askingPace = new AskingPace(50, 400);
  readonly #bucket: TokenBucket;
  readonly #consumers = new Set<ChannelConsumer>();
  readonly #due = new BusiestFirst<ChannelConsumer>();
  readonly #retryLog = new LogLimit(5000);
  #recovering = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: AmqpConnection, options: ConsumerOptions = {}) {
    this.#connection = connection;
    this.#prefetch = options.prefetch ?? 64;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#shards = Array.from(
      { length: options.channels ?? 16 },
      () => new Shard(connection, this.#prefetch),
    );
    this.#topology = new TopologyChannels(connection, { channels: 4 });
    this.#questions = new TopologyChannels(connection, { channels: 2 });
    const perSecond = options.recoverPerSecond ?? 2000;
    this.#bucket = new TokenBucket(perSecond, Math.max(1, perSecond / 20), monotonicNow());
    connection.counts(() => ({
      channels: this.#shards.filter(({ isOpen }) => isOpen).length,
      consumers: this.#consumers.size,
      recovering: this.recovering,
    }));
    connection.on('open', () => this.#pump());
    connection.closing.addEventListener('abort', () => {
      clearTimeout(this.#timer);
      this.#due.clear();
      for (const consumer of [...this.#consumers]) consumer.abandon();
    });
  }

  /** Consumers that do not consume at present, and have before. */
  get recovering(): number {
    let count = 0;
    for (const { isLost } of this.#consumers) if (isLost) count += 1;
    return count;
  }

  /** Consumers not cancelled. */
  get size(): number {
    return this.#consumers.size;
  }

  /**
   * Consumes `queue`, which must exist: consuming a missing one makes the broker close the channel, and the
   * other consumers of that shard recover. Resolves on consume-ok; deliveries may arrive first.
   * @throws BrokerError `no-queue`, `queue-locked`, `broker-refused`, `broker-unavailable`, `broker-closed`.
   */
  async consume(queue: string, options: ConsumeOptions): Promise<Consumer> {
    if (this.#connection.state === 'closed') throw closedError();
    const shard = this.#shards[shardOf(queue, this.#shards.length)];
    if (!shard)
      throw new BrokerError('broker-unavailable', 'Consumers need at least one channel; set channels.');
    const consumer = new ChannelConsumer(queue, options, shard, {
      log: this.#connection.log,
      defaultPrefetch: this.#prefetch,
      recover: (c) => {
        this.#due.push(c);
        // Every channel of a lost connection closes before the connection says so.
        queueMicrotask(() => this.#pump());
      },
      exists: async (name) => (await this.#topology.checkQueue(name)) !== undefined,
      asks: async (name) => (await this.#questions.checkQueue(name)) !== undefined,
      askingPace: this.#askingPace,
      gone: (c) => this.#consumers.delete(c),
    });
    this.#consumers.add(consumer);
    try {
      await consumer.attach();
      return consumer;
    } catch (error) {
      if (replyCodeOf(error) !== undefined) {
        consumer.abandon();
        throw refusal(queue, error);
      }
    }
    if (consumer.state === 'cancelled') throw closedError();
    if (options.recovers === false) {
      consumer.abandon();
      throw new BrokerError(
        'broker-unavailable',
        `The connection was lost while consuming ${queue}; try again.`,
      );
    }
    const isActive = await consumer.recoverWithin(this.#timeoutMs);
    if (isActive) return consumer;
    consumer.abandon();
    throw this.#connection.closing.aborted ? closedError() : unavailableError(this.#timeoutMs);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#connection.model && this.#recovering < RECOVERIES_IN_FLIGHT) {
      const next = this.#due.peek();
      if (next === undefined) return;
      if (next.state === 'cancelled') {
        this.#due.shift();
        continue;
      }
      const nowMs = monotonicNow();
      if (!this.#bucket.tryTake(nowMs)) {
        this.#timer = setTimeout(() => this.#pump(), this.#bucket.waitMs(nowMs));
        return;
      }
      this.#due.shift();
      void this.#recover(next);
    }
  }

  async #recover(consumer: ChannelConsumer): Promise<void> {
    this.#recovering++;
    try {
      await consumer.reattach();
    } catch (error) {
      if (consumer.state !== 'cancelled') this.#retry(consumer, error);
    }
    this.#recovering--;
    this.#pump();
  }

  #retry(consumer: ChannelConsumer, error: unknown): void {
    if (!this.#connection.model) {
      this.#due.push(consumer);
      return;
    }
    const suppressed = this.#retryLog.pass(monotonicNow());
    if (suppressed !== undefined) {
      this.#connection.log.warn(
        { queue: consumer.queue, error: messageOf(error), suppressed },
        'consumer recovery failed',
      );
    }
    const delayMs = backoffMs(consumer.attempts++, RETRY, this.#connection.random);
    setTimeout(() => {
      this.#due.push(consumer);
      this.#pump();
    }, delayMs).unref();
  }
}

function refusal(queue: string, cause: unknown): BrokerError {
  const reason = messageOf(cause);
  if (isQueueDown(cause))
    return new BrokerError('queue-down', `Queue ${queue} cannot be consumed now (${reason}).`, cause);
  switch (replyCodeOf(cause)) {
    case REPLY.notFound:
      return new BrokerError('no-queue', `Queue ${queue} does not exist; declare it first.`, cause);
    case REPLY.accessRefused:
    case REPLY.resourceLocked:
      return new BrokerError('queue-locked', `Queue ${queue} cannot be consumed (${reason}).`, cause);
    default:
      return new BrokerError('broker-refused', `RabbitMQ refuses to consume ${queue} (${reason}).`, cause);
  }
}
