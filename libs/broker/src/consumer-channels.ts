import type { IncomingDelivery } from './delivery.js';
import { BrokerError, messageOf, REPLY, replyCodeOf } from './errors.js';
import { closedError, type Link, unavailableError } from './link.js';
import { Fifo, fullJitter, LogLimit, shardOf, TokenBucket } from './pace.js';
import { Shard, type ShardChannel, type ShardConsumer } from './shard.js';
import { TopologyChannels } from './topology-channels.js';
import type { ConsumeOptions, Consumer, LostReason, QueueCounts } from './types.js';

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
 * basic.consume, paced. Consumers are unlimited in number; each holds at most its prefetch.
 */
export class ConsumerChannels {
  readonly #link: Link;
  readonly #shards: Shard[];
  readonly #prefetch: number;
  readonly #timeoutMs: number;
  readonly #topology: TopologyChannels;
  readonly #bucket: TokenBucket;
  readonly #consumers = new Set<ChannelConsumer>();
  readonly #due = new Fifo<ChannelConsumer>();
  readonly #retryLog = new LogLimit(5000);
  #recovering = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, options: ConsumerOptions = {}) {
    this.#link = link;
    this.#prefetch = options.prefetch ?? 64;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
    this.#shards = Array.from({ length: options.channels ?? 16 }, () => new Shard(link, this.#prefetch));
    this.#topology = new TopologyChannels(link, { channels: 4 });
    const perSecond = options.recoverPerSecond ?? 2000;
    this.#bucket = new TokenBucket(perSecond, Math.max(1, perSecond / 20), Date.now());
    link.on('open', () => {
      const due = this.#due.drain().map((consumer) => ({ consumer, priority: consumer.priority() }));
      due.sort((a, b) => b.priority - a.priority);
      this.#due.prepend(due.map((d) => d.consumer));
      this.#pump();
    });
    link.closing.addEventListener('abort', () => {
      clearTimeout(this.#timer);
      this.#due.drain();
      for (const consumer of [...this.#consumers]) consumer.abandon();
    });
  }

  /** Consumers not cancelled. */
  get size(): number {
    return this.#consumers.size;
  }

  /** Consumers waiting to recover. */
  get recovering(): number {
    return this.#due.length + this.#recovering;
  }

  /**
   * Consumes `queue`, which must exist: consuming a missing one makes the broker close the channel, and the
   * other consumers of that shard recover. Resolves on consume-ok; deliveries may arrive first.
   * @throws BrokerError `no-queue`, `queue-locked`, `broker-refused`, `broker-unavailable`, `broker-closed`.
   */
  async consume(queue: string, options: ConsumeOptions): Promise<Consumer> {
    if (this.#link.state === 'closed') throw closedError();
    const shard = this.#shards[shardOf(queue, this.#shards.length)];
    if (!shard)
      throw new BrokerError('broker-unavailable', 'Consumers need at least one channel; set channels.');
    const consumer = new ChannelConsumer(queue, options, shard, {
      defaultPrefetch: this.#prefetch,
      recover: (c) => {
        this.#due.push(c);
        // Every channel of a lost connection closes before the connection says so.
        queueMicrotask(() => this.#pump());
      },
      exists: async () => (await this.#topology.checkQueue(queue)) !== undefined,
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
    const isActive = await consumer.recoverWithin(this.#timeoutMs);
    if (isActive) return consumer;
    consumer.abandon();
    throw this.#link.closing.aborted ? closedError() : unavailableError(this.#timeoutMs);
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#link.model && this.#due.length > 0 && this.#recovering < RECOVERIES_IN_FLIGHT) {
      if (this.#due.peek()?.state === 'cancelled') {
        this.#due.shift();
        continue;
      }
      const waitMs = this.#bucket.take(Date.now());
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      const consumer = this.#due.shift();
      if (consumer) void this.#recover(consumer);
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
    if (!this.#link.model) {
      this.#due.push(consumer);
      return;
    }
    const suppressed = this.#retryLog.pass(Date.now());
    if (suppressed !== undefined) {
      this.#link.log.warn(
        { queue: consumer.queue, error: messageOf(error), suppressed },
        'consumer recovery failed',
      );
    }
    const delayMs = fullJitter(consumer.attempts++, RETRY, this.#link.random);
    setTimeout(() => {
      this.#due.push(consumer);
      this.#pump();
    }, delayMs).unref();
  }
}

interface Surroundings {
  defaultPrefetch: number;
  recover(consumer: ChannelConsumer): void;
  exists(): Promise<boolean>;
  gone(consumer: ChannelConsumer): void;
}

let tags = 0;

class ChannelConsumer implements Consumer, ShardConsumer {
  readonly queue: string;
  state: 'active' | 'recovering' | 'cancelled' = 'recovering';
  attempts = 0;
  readonly #options: ConsumeOptions;
  readonly #shard: Shard;
  readonly #around: Surroundings;
  #at: ShardChannel | undefined;
  #tag = '';
  #attaching: Promise<void> | undefined;
  #cancelling: Promise<void> | undefined;
  #isExposed = false;
  #isMuted = false;
  #isQueueSuspect = false;
  #held: IncomingDelivery[] = [];
  #onActive: ((isActive: boolean) => void) | undefined;

  constructor(queue: string, options: ConsumeOptions, shard: Shard, around: Surroundings) {
    this.queue = queue;
    this.#options = options;
    this.#shard = shard;
    this.#around = around;
  }

  priority(): number {
    return this.#options.priorityOfRecovery?.() ?? 0;
  }

  deliver(delivery: IncomingDelivery): void {
    if (this.#isMuted) {
      this.#held.push(delivery);
      return;
    }
    this.#isExposed = true;
    this.#options.onDelivery(delivery);
  }

  channelLost(at: ShardChannel): void {
    if (at === this.#at && !this.#attaching && this.state === 'active') this.#lose('channel');
  }

  /** basic.consume on the shard's channel; a failure leaves the consumer `recovering`. */
  attach(): Promise<void> {
    this.#attaching = this.#attach().finally(() => {
      this.#attaching = undefined;
    });
    return this.#attaching;
  }

  async reattach(): Promise<void> {
    if (this.state !== 'recovering') return;
    await this.#options.prepare?.();
    if (this.state !== 'recovering') return;
    if (!(await this.#around.exists())) {
      throw new BrokerError('no-queue', `Queue ${this.queue} does not exist; declare it in prepare.`);
    }
    if (this.state !== 'recovering') return;
    await this.attach();
    if (!this.#isActive()) return;
    this.attempts = 0;
    this.#options.onRecovered?.();
    this.#onActive?.(true);
  }

  /** Puts a consumer whose first attempt met a connection loss on the way of recovery. */
  recoverWithin(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#onActive?.(false), timeoutMs);
      this.#onActive = (isActive) => {
        clearTimeout(timer);
        this.#onActive = undefined;
        resolve(isActive);
      };
      this.#around.recover(this);
    });
  }

  cancel(): Promise<void> {
    this.#cancelling ??= this.#cancel();
    return this.#cancelling;
  }

  /** Stops without a word to the broker. */
  abandon(): void {
    this.state = 'cancelled';
    this.#isMuted = true;
    this.#around.gone(this);
    this.#onActive?.(false);
    // One whose consume-ok is still to come would stay on the channel.
    void this.#attaching?.catch(() => {});
  }

  async barrier(): Promise<QueueCounts | undefined> {
    const at = this.#at;
    if (!at?.isOpen) return undefined;
    try {
      // A passive declare of a missing queue would take the whole shard down.
      if (this.#isQueueSuspect && !(await this.#around.exists())) return undefined;
      if (!at.isOpen) return undefined;
      const ok = await at.channel.checkQueue(this.queue);
      return { messages: ok.messageCount, consumers: ok.consumerCount };
    } catch {
      return undefined;
    }
  }

  #isActive(): boolean {
    return this.state === 'active';
  }

  async #attach(): Promise<void> {
    const at = await this.#shard.get();
    if (this.state === 'cancelled') return;
    const tag = `c${++tags}`;
    at.consumers.set(tag, this);
    this.#at = at;
    this.#tag = tag;
    this.#isQueueSuspect = false;
    try {
      await this.#consume(at, tag);
      if (!at.isOpen) throw new Error('channel lost');
      // A server cancel may come in the same read as consume-ok.
      if (!at.consumers.has(tag)) throw new Error('cancelled by the broker');
    } catch (error) {
      at.consumers.delete(tag);
      if (this.#isExposed) {
        this.#isExposed = false;
        this.#options.onLost?.('channel');
      }
      throw error;
    }
    if ((this.state as string) === 'cancelled') {
      await this.#stop(at, tag);
      return;
    }
    this.#isExposed = true;
    this.state = 'active';
  }

  async #consume(at: ShardChannel, tag: string): Promise<void> {
    const { prefetch, exclusive = false } = this.#options;
    const { defaultPrefetch } = this.#around;
    // A channel answers in order, so the consumers around this one keep their own limit.
    const isOwnLimit = prefetch !== undefined && prefetch !== defaultPrefetch;
    const before = isOwnLimit ? at.channel.prefetch(prefetch) : undefined;
    const consumed = at.channel.consume(
      this.queue,
      (message) => {
        if (message === null) this.#cancelledByServer(at, tag);
      },
      { consumerTag: tag, exclusive },
    );
    const after = isOwnLimit ? at.channel.prefetch(defaultPrefetch) : undefined;
    before?.catch(() => {});
    after?.catch(() => {});
    await consumed;
  }

  #cancelledByServer(at: ShardChannel, tag: string): void {
    at.consumers.delete(tag);
    this.#isQueueSuspect = true;
    if (at === this.#at && tag === this.#tag && this.state === 'active') this.#lose('cancelled');
  }

  #lose(why: LostReason): void {
    this.#isExposed = false;
    this.state = 'recovering';
    try {
      this.#options.onLost?.(why);
    } finally {
      this.#around.recover(this);
    }
  }

  async #cancel(): Promise<void> {
    const wasActive = this.state === 'active';
    const at = this.#at;
    this.state = 'cancelled';
    this.#around.gone(this);
    if (!wasActive) {
      this.#isMuted = true;
      await this.#attaching?.catch(() => {});
      return;
    }
    if (at) await this.#stop(at, this.#tag);
  }

  async #stop(at: ShardChannel, tag: string): Promise<void> {
    if (at.isOpen && at.consumers.has(tag)) await at.channel.cancel(tag).catch(() => {});
    this.#isMuted = true;
    at.consumers.delete(tag);
    // Only now: requeued before cancel-ok they would come straight back.
    for (const delivery of this.#held) delivery.requeue();
    this.#held = [];
  }
}

function refusal(queue: string, cause: unknown): BrokerError {
  const reason = messageOf(cause);
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
