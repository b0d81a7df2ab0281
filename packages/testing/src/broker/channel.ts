import { EventEmitter } from 'node:events';
import { soon } from '../soon.js';
import { ChannelError, type MemoryBroker } from './broker.js';
import type { Item, MessageProperties, Queue, QueueConsumer } from './queue.js';

interface Held {
  readonly queue: Queue;
  readonly consumer: QueueConsumer;
  readonly item: Item;
}

interface DeclareOptions {
  durable?: boolean;
  exclusive?: boolean;
  autoDelete?: boolean;
  arguments?: Record<string, unknown>;
}

/** A connection as amqplib makes them, to a broker in memory. */
export class MemoryConnection extends EventEmitter {
  /** amqplib has its socket here. */
  readonly connection = {};
  readonly #broker: MemoryBroker;
  readonly #channels = new Set<MemoryChannel>();

  constructor(broker: MemoryBroker) {
    super();
    this.#broker = broker;
  }

  async createChannel(): Promise<MemoryChannel> {
    const channel = new MemoryChannel(this.#broker, this);
    this.#channels.add(channel);
    channel.once('close', () => this.#channels.delete(channel));
    return channel;
  }

  createConfirmChannel(): Promise<MemoryChannel> {
    return this.createChannel();
  }

  async close(): Promise<void> {
    for (const channel of [...this.#channels]) channel.end();
    for (const queue of [...this.#broker.queues.values()])
      if (queue.owner === this) this.#broker.deleteQueue(queue);
    this.emit('close');
  }
}

/** A channel as amqplib has them, confirms included, as far as `@evenkeel/broker` uses it. */
class MemoryChannel extends EventEmitter {
  readonly #broker: MemoryBroker;
  readonly #owner: MemoryConnection;
  readonly #consumers = new Map<string, { queue: Queue; consumer: QueueConsumer }>();
  readonly #held = new Map<number, Held>();
  #prefetch = 0;
  #tags = 0;
  #isOpen = true;

  constructor(broker: MemoryBroker, owner: MemoryConnection) {
    super();
    this.#broker = broker;
    this.#owner = owner;
  }

  assertQueue(name: string, options: DeclareOptions): Promise<object> {
    return this.#ask(() => {
      const { durable = true, exclusive = false, autoDelete = false, arguments: args = {} } = options;
      const spec = { durable, exclusive, autoDelete, arguments: args };
      return countsOf(this.#broker.declareQueue(name, spec, this.#owner));
    });
  }

  checkQueue(name: string): Promise<object> {
    return this.#ask(() => countsOf(this.#broker.queue(name, this.#owner)));
  }

  assertExchange(name: string, type: string): Promise<object> {
    return this.#ask(() => {
      this.#broker.declareExchange(name, type);
      return { exchange: name };
    });
  }

  checkExchange(name: string): Promise<object> {
    return this.#ask(() => {
      this.#broker.checkExchange(name);
      return {};
    });
  }

  bindQueue(queue: string, exchange: string, key: string): Promise<object> {
    return this.#ask(() => {
      this.#broker.bind(this.#broker.queue(queue, this.#owner), exchange, key);
      return {};
    });
  }

  unbindQueue(queue: string, exchange: string, key: string): Promise<object> {
    return this.#ask(() => {
      this.#broker.unbind(this.#broker.queue(queue, this.#owner), exchange, key);
      return {};
    });
  }

  deleteQueue(name: string, { ifEmpty = false, ifUnused = false } = {}): Promise<object> {
    return this.#ask(() => {
      const queue = this.#broker.queues.get(name);
      if (!queue) return { messageCount: 0 };
      const messageCount = queue.messages;
      if ((ifEmpty && messageCount > 0) || (ifUnused && queue.consumers > 0))
        throw new ChannelError(406, `PRECONDITION_FAILED - queue '${name}' is not empty or in use`);
      this.#broker.deleteQueue(queue);
      return { messageCount };
    });
  }

  deleteExchange(name: string): Promise<object> {
    return this.#ask(() => {
      this.#broker.deleteExchange(name);
      return {};
    });
  }

  prefetch(count: number): Promise<object> {
    return this.#ask(() => {
      this.#prefetch = count;
      return {};
    });
  }

  consume(
    name: string,
    callback: (message: null) => void,
    { consumerTag, exclusive = false }: { consumerTag: string; exclusive?: boolean },
  ): Promise<object> {
    return this.#ask(() => {
      const queue = this.#broker.queue(name, this.#owner);
      if (exclusive && queue.consumers > 0)
        throw new ChannelError(403, `ACCESS_REFUSED - queue '${name}' in vhost '/' in exclusive use`);
      const consumer: QueueConsumer = {
        prefetch: this.#prefetch,
        deliver: (item) => this.#deliver({ queue, consumer, item }, consumerTag),
        cancelled: () => {
          this.#consumers.delete(consumerTag);
          soon(() => callback(null));
        },
      };
      this.#consumers.set(consumerTag, { queue, consumer });
      queue.consume(consumer);
      return { consumerTag };
    });
  }

  cancel(consumerTag: string): Promise<object> {
    return this.#ask(() => {
      const found = this.#consumers.get(consumerTag);
      this.#consumers.delete(consumerTag);
      found?.queue.stop(found.consumer);
      return { consumerTag };
    });
  }

  publish(
    exchange: string,
    key: string,
    content: Buffer,
    options: MessageProperties & { mandatory?: boolean },
    confirmed: (error: unknown) => void = () => {},
  ): boolean {
    const { mandatory = false, ...properties } = options;
    try {
      const isRouted = this.#broker.publish(exchange, key, Buffer.from(content), properties);
      soon(() => {
        if (!isRouted && mandatory)
          this.emit('return', { content, properties, fields: { exchange, routingKey: key } });
        confirmed(null);
      });
    } catch (error) {
      soon(() => this.#fail(error));
    }
    return true;
  }

  ack({ fields }: { fields: { deliveryTag: number } }): void {
    const held = this.#take(fields.deliveryTag);
    held?.queue.settle(held.consumer, held.item);
  }

  nack({ fields }: { fields: { deliveryTag: number } }, _allUpTo: boolean, requeue: boolean): void {
    const held = this.#take(fields.deliveryTag);
    if (requeue) held?.queue.requeue(held.consumer, [held.item]);
    else held?.queue.settle(held.consumer, held.item);
  }

  async close(): Promise<void> {
    this.end();
  }

  /** Gives back what is not settled. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const consumers = [...this.#consumers.values()];
    this.#consumers.clear();
    for (const { queue, consumer } of consumers) queue.stop(consumer);
    const held = [...this.#held.values()];
    this.#held.clear();
    for (const { queue, consumer, item } of held) queue.requeue(consumer, [item]);
    this.emit('close');
  }

  #deliver(held: Held, consumerTag: string): void {
    const deliveryTag = ++this.#tags;
    this.#held.set(deliveryTag, held);
    const { message, isRedelivered: redelivered } = held.item;
    const { exchange, key: routingKey, body: content, properties } = message;
    const fields = { consumerTag, deliveryTag, redelivered, exchange, routingKey };
    soon(() => {
      if (this.#isOpen)
        this.emit('delivery', {
          content,
          fields,
          properties: { ...properties, headers: properties.headers ?? {} },
        });
    });
  }

  #take(deliveryTag: number): Held | undefined {
    const held = this.#held.get(deliveryTag);
    this.#held.delete(deliveryTag);
    return held;
  }

  async #ask(answer: () => object): Promise<object> {
    if (!this.#isOpen) throw new Error('Channel closed');
    try {
      return answer();
    } catch (error) {
      soon(() => this.#fail(error));
      throw error;
    }
  }

  /** The broker closes the channel for an error. */
  #fail(error: unknown): void {
    if (!this.#isOpen) return;
    if (this.listenerCount('error') > 0) this.emit('error', error);
    this.end();
  }
}

const countsOf = (queue: Queue): object => ({
  queue: queue.name,
  messageCount: queue.messages,
  consumerCount: queue.consumers,
});
