import { monotonicNow } from '@evenkeel/pace';
import { AnswerClock, type AskingPace } from './answer-clock.js';
import type { Busy } from './busiest-first.js';
import type { IncomingDelivery } from './delivery.js';
import { BrokerError, messageOf } from './errors.js';
import type { Shard, ShardChannel, ShardConsumer } from './shard.js';
import type { ConsumeOptions, Consumer, Log, LostReason, QueueCounts } from './types.js';
import { Waits } from './waits.js';

/** What a consumer needs from the channels it is on. */
export interface Surroundings {
  log: Log;
  defaultPrefetch: number;
  recover(consumer: ChannelConsumer): void;
  exists(queue: string): Promise<boolean>;
  /** As {@link Surroundings.exists}, but for once in a while, on channels that nothing else waits for. */
  asks(queue: string): Promise<boolean>;
  readonly askingPace: AskingPace;
  gone(consumer: ChannelConsumer): void;
}

/** The first may overtake what was passed on to the queue shortly before. */
const queueAnswers = 2;

let tags = 0;

/** One consumer on a shard: at any time attaching, active, waiting to recover, or cancelled for good. */
export class ChannelConsumer implements Consumer, ShardConsumer, Busy {
  queue: string;
  state: 'active' | 'recovering' | 'cancelled' = 'recovering';
  waits: Waits | undefined;
  attempts = 0;
  /** Deliveries, since it was made. */
  perMinute = 0;
  readonly #madeAtMs = monotonicNow();
  #delivered = 0;
  readonly #options: ConsumeOptions;
  readonly #shard: Shard;
  readonly #around: Surroundings;
  #at: ShardChannel | undefined;
  #tag = '';
  #attaching: Promise<void> | undefined;
  #cancelling: Promise<boolean> | undefined;
  #hasBeenActive = false;
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

  /** It has consumed and does not at present; one that is being made for the first time has not lost anything. */
  get isLost(): boolean {
    return this.state === 'recovering' && this.#hasBeenActive;
  }

  get room(): number | undefined {
    return this.waits?.room;
  }

  deliver(delivery: IncomingDelivery): void {
    this.#delivered += 1;
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
    this.queue = this.#options.nameNow?.() ?? this.queue;
    if (this.state !== 'recovering') return;
    if (!(await this.#around.exists(this.queue))) {
      throw new BrokerError('no-queue', `Queue ${this.queue} does not exist; declare it in prepare.`);
    }
    if (this.state !== 'recovering') return;
    await this.attach();
    if (!this.#isActive()) return;
    this.attempts = 0;
    this.#onActive?.(true);
    this.#options.onRecovered?.();
  }

  /** Retries a consumer whose first attempt failed because the connection was lost. */
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

  cancel(): Promise<boolean> {
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
      if (this.#isQueueSuspect && !(await this.#around.exists(this.queue))) return undefined;
      if (!at.isOpen) return undefined;
      const ok = await at.channel.checkQueue(this.queue);
      return { messages: ok.messageCount, consumers: ok.consumerCount };
    } catch {
      return undefined;
    }
  }

  async unbind(exchange: string, key: string): Promise<void> {
    const at = this.#at;
    if (!at?.isOpen) throw new BrokerError('broker-unavailable', `The channel of ${this.queue} was lost.`);
    await at.channel.unbindQueue(this.queue, exchange, key);
  }

  get #prefetch(): number {
    return this.#options.prefetch ?? this.#around.defaultPrefetch;
  }

  // Calls, since the state may have changed while one waited.
  #isActive(): boolean {
    return this.state === 'active';
  }

  #isCancelled(): boolean {
    return this.state === 'cancelled';
  }

  async #attach(): Promise<void> {
    const at = await this.#shard.get();
    if (this.state === 'cancelled') return;
    const tag = `c${++tags}`;
    at.consumers.set(tag, this);
    this.#at = at;
    this.#tag = tag;
    this.#isQueueSuspect = false;
    if (this.#options.tellsWaits) {
      const queue = () => new AnswerClock(() => this.#askQueue(at), this.#around.askingPace, queueAnswers);
      this.waits = new Waits(this.#prefetch, { channel: at.clock, queue });
    }
    try {
      await this.#consume(at, tag);
      if (!at.isOpen) throw new Error('channel lost');
      // A server cancel may come in the same read as consume-ok.
      if (!at.consumers.has(tag)) throw new Error('cancelled by the broker');
    } catch (error) {
      at.consumers.delete(tag);
      this.#void('channel');
      throw error;
    }
    if (this.#isCancelled()) {
      await this.#stop(at, tag);
      return;
    }
    this.#isExposed = true;
    this.state = 'active';
    this.#hasBeenActive = true;
  }

  /** The queue answers behind what the channel has passed on to it; one that is out of reach keeps nobody else waiting. */
  async #askQueue(at: ShardChannel): Promise<void> {
    await at.answer();
    if (at !== this.#at || !(await this.#around.asks(this.queue))) throw new Error('the queue has gone');
  }

  async #consume(at: ShardChannel, tag: string): Promise<void> {
    const { exclusive = false } = this.#options;
    const { defaultPrefetch } = this.#around;
    // A channel carries calls out in order, so the consumers around this one keep their own limit.
    const isOwnLimit = this.#prefetch !== defaultPrefetch;
    const before = isOwnLimit ? at.channel.prefetch(this.#prefetch) : undefined;
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
    if (this.#options.recovers === false) {
      this.abandon();
      this.#void(why);
      return;
    }
    this.state = 'recovering';
    this.perMinute = (this.#delivered * 60_000) / Math.max(1, monotonicNow() - this.#madeAtMs);
    this.#void(why);
    this.#around.recover(this);
  }

  /** Tells that what was delivered is void; one listener's fault must not keep the others from hearing it. */
  #void(why: LostReason): void {
    if (!this.#isExposed) return;
    this.#isExposed = false;
    try {
      this.#options.onLost?.(why);
    } catch (error) {
      this.#around.log.error({ queue: this.queue, error: messageOf(error) }, 'loss handler threw');
    }
  }

  async #cancel(): Promise<boolean> {
    const wasActive = this.state === 'active';
    const at = this.#at;
    this.state = 'cancelled';
    this.#around.gone(this);
    if (!wasActive) {
      this.#isMuted = true;
      await this.#attaching?.catch(() => {});
      return false;
    }
    return at ? await this.#stop(at, this.#tag) : false;
  }

  async #stop(at: ShardChannel, tag: string): Promise<boolean> {
    let isConfirmed = false;
    if (at.isOpen && at.consumers.has(tag))
      await at.channel.cancel(tag).then(
        () => {
          isConfirmed = true;
        },
        () => {},
      );
    this.#isMuted = true;
    at.consumers.delete(tag);
    this.waits?.end();
    // Only now: requeued before cancel-ok they would come straight back.
    for (const delivery of this.#held) delivery.requeue();
    this.#held = [];
    return isConfirmed;
  }
}
