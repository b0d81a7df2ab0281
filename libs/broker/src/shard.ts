import { hash32, LogLimit, monotonicNow } from '@evenkeel/pace';
import type { Channel, ConsumeMessage } from 'amqplib';
import { AnswerClock, AskingPace } from './answer-clock.js';
import type { AmqpConnection } from './connection.js';
import { unreadableHeaders } from './deep-headers.js';
import { type Incarnation, IncomingDelivery } from './delivery.js';
import { messageOf } from './errors.js';
import type { GatheredAcks } from './gathered-acks.js';
import { callAhead, callPlainly } from './quick-calls.js';
import type { Waits } from './waits.js';

/** What a shard knows of a consumer. */
export interface ShardConsumer {
  /** Of the deliveries that come now. */
  readonly waits: Waits | undefined;
  deliver(delivery: IncomingDelivery): void;
  channelLost(at: ShardChannel): void;
}

const logLimit = new LogLimit(1000);

/**
 * It does not wait for the queue, which has half a second to have what it got; who can't wait so long asks the queue itself. In several
 * parts: where the broker stands still for a while, that takes the time of one.
 */
const channelPace = new AskingPace(170);
const answersNeeded = 4;

/** One incarnation of a shard's channel, with the consumers on it by tag. */
export class ShardChannel implements Incarnation {
  readonly channel: Channel;
  readonly consumers = new Map<string, ShardConsumer>();
  /** Of settlements on it. */
  readonly clock: AnswerClock;
  isOpen = true;
  readonly ack: Incarnation['ack'];
  readonly #prefetch: number;

  constructor(channel: Channel, acks: GatheredAcks, prefetch: number) {
    this.channel = channel;
    this.#prefetch = prefetch;
    this.clock = new AnswerClock(() => this.answer(), channelPace, answersNeeded);
    this.ack = acks.of(channel);
  }

  /** Resolves when the broker has passed on to their queues what was settled here. Rejects when the channel has gone. */
  async answer(): Promise<void> {
    // What it has been told already, and answers at once.
    await this.channel.prefetch(this.#prefetch);
  }
}

/** A consumer channel that is opened when needed and again after it was lost. */
export class Shard {
  readonly #connection: AmqpConnection;
  readonly #prefetch: number;
  #current: ShardChannel | undefined;
  #opening: Promise<ShardChannel> | undefined;

  constructor(connection: AmqpConnection, prefetch: number) {
    this.#connection = connection;
    this.#prefetch = prefetch;
  }

  get isOpen(): boolean {
    return this.#current?.isOpen === true;
  }

  /** The open channel. Rejects while there is no connection. */
  get(): Promise<ShardChannel> {
    if (this.#current?.isOpen) return Promise.resolve(this.#current);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<ShardChannel> {
    const { model, acks, deliveries } = this.#connection;
    if (!model) throw new Error('connection lost');
    const channel = await model.createChannel();
    callPlainly(channel);
    callAhead(channel);
    const at = new ShardChannel(channel, acks, this.#prefetch);
    channel.on('error', (error) => {
      this.#connection.log.warn(
        { error: messageOf(error), consumers: at.consumers.size },
        'consumer channel closed',
      );
    });
    channel.on('close', () => {
      at.isOpen = false;
      // A shard that nobody needs would keep a lost connection, and with it all consumers that there were on it.
      if (this.#current === at) this.#current = undefined;
      const lost = [...at.consumers.values()];
      at.consumers.clear();
      for (const consumer of lost) consumer.channelLost(at);
    });
    // amqplib's own dispatch closes the channel on an unknown tag and on a throwing callback.
    channel.removeAllListeners('delivery');
    const dispatch = (message: ConsumeMessage) => this.#dispatch(at, message);
    channel.on('delivery', dispatch);
    deliveries.on(channel, dispatch);
    channel.on('handler-error', (error) => {
      this.#connection.log.error({ error: messageOf(error) }, 'consumer channel listener threw');
    });
    await channel.prefetch(this.#prefetch);
    this.#current = at;
    return at;
  }

  #dispatch(at: ShardChannel, message: ConsumeMessage): void {
    const consumer = at.consumers.get(message.fields.consumerTag);
    if (!consumer) {
      at.channel.nack(message, false, true);
      return;
    }
    const delivery = new IncomingDelivery(message, at, consumer.waits);
    if (message.properties.headers === unreadableHeaders) return this.#dropUnreadable(delivery);
    try {
      consumer.deliver(delivery);
    } catch (error) {
      const suppressed = logLimit.pass(monotonicNow());
      if (suppressed !== undefined) {
        this.#connection.log.error(
          { error: messageOf(error), exchange: delivery.exchange, key: delivery.key, suppressed },
          'delivery handler threw',
        );
      }
      if (!delivery.redelivered) delivery.requeue();
      // A message that fails every time must not spin between broker and handler.
      else setTimeout(() => delivery.requeue(), 1000).unref();
    }
  }

  /** Nobody can say what it is, not even whether another queue has given it up. */
  #dropUnreadable(delivery: IncomingDelivery): void {
    delivery.drop();
    const suppressed = logLimit.pass(monotonicNow());
    if (suppressed === undefined) return;
    const { exchange, key } = delivery;
    this.#connection.log.warn(
      { exchange, key, suppressed },
      'message dropped: its headers are nested too deep to be read',
    );
  }
}

/** Which of `shards` a queue lives on. */
export const shardOf = (queue: string, shards: number): number => hash32(queue) % shards;
