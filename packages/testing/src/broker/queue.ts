/** A message as RabbitMQ keeps it; the properties have amqplib's names. */
export interface Message {
  readonly exchange: string;
  readonly key: string;
  readonly body: Buffer;
  readonly properties: MessageProperties;
  /** No consumer gets it any more, ms since the epoch. */
  readonly expiresAtMs: number | undefined;
}

/** What of a message's properties is looked at; others are carried. */
export interface MessageProperties {
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly replyTo?: string;
  readonly type?: string;
  readonly contentType?: string;
  readonly expiration?: string | number;
  readonly timestamp?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** A message in a queue, or with one of its consumers. */
export interface Item {
  readonly message: Message;
  /** Where in the queue it stands: what is given back goes to its old place. */
  readonly place: number;
  isRedelivered: boolean;
}

export interface QueueConsumer {
  /** Unacknowledged messages at most; 0: no limit. */
  readonly prefetch: number;
  deliver(item: Item): void;
  /** The queue is gone. */
  cancelled(): void;
}

/** How a queue is declared. */
export interface QueueOptions {
  readonly durable: boolean;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A queue: messages in order, each with one consumer at a time until it is acknowledged. */
export class Queue {
  readonly name: string;
  readonly options: QueueOptions;
  /** The connection that alone may use it. */
  readonly owner: unknown;
  readonly #ready: Item[] = [];
  readonly #consumers = new Map<QueueConsumer, Set<Item>>();
  readonly #unused: () => void;
  #places = 0;
  #isPumping = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `unused`: nobody has consumed it for as long as it is kept. */
  constructor(name: string, options: QueueOptions, owner: unknown, unused: () => void) {
    this.name = name;
    this.options = options;
    this.owner = owner;
    this.#unused = unused;
    this.touch();
  }

  get messages(): number {
    return this.#ready.length;
  }
  get consumers(): number {
    return this.#consumers.size;
  }
  get unacknowledged(): number {
    let count = 0;
    for (const held of this.#consumers.values()) count += held.size;
    return count;
  }

  /** It is used now: its time without a consumer begins anew. */
  touch(): void {
    clearTimeout(this.#timer);
    const ms = this.options.arguments['x-expires'];
    if (typeof ms !== 'number' || this.#consumers.size > 0) return;
    this.#timer = setTimeout(this.#unused, ms);
    this.#timer.unref?.();
  }

  push(message: Message): void {
    this.#ready.push({ message, place: this.#places++, isRedelivered: false });
    this.#pump();
  }

  consume(consumer: QueueConsumer): void {
    this.#consumers.set(consumer, new Set());
    this.touch();
    this.#pump();
  }

  /** It gets no more; what it holds it may still settle. */
  stop(consumer: QueueConsumer): Item[] {
    const held = [...(this.#consumers.get(consumer) ?? [])];
    if (!this.#consumers.delete(consumer)) return held;
    if (this.#consumers.size === 0) {
      if (this.options.autoDelete) this.#unused();
      else this.touch();
    }
    return held;
  }

  settle(consumer: QueueConsumer, item: Item): void {
    this.#consumers.get(consumer)?.delete(item);
    this.#pump();
  }

  /** Back to their old places. */
  requeue(consumer: QueueConsumer, items: readonly Item[]): void {
    const held = this.#consumers.get(consumer);
    for (const item of items) {
      held?.delete(item);
      item.isRedelivered = true;
      this.#ready.push(item);
    }
    this.#ready.sort((a, b) => a.place - b.place);
    this.#pump();
  }

  /** Takes out what waits and has been with no consumer yet, where it is so. */
  drop(isSo: (message: Message) => boolean): void {
    const kept = this.#ready.filter(({ isRedelivered, message }) => isRedelivered || !isSo(message));
    this.#ready.splice(0, this.#ready.length, ...kept);
  }

  /** Takes out what waits. */
  purge(): Item[] {
    return this.#ready.splice(0);
  }

  /** The queue is deleted. */
  end(): void {
    clearTimeout(this.#timer);
    this.#ready.length = 0;
    const consumers = [...this.#consumers.keys()];
    this.#consumers.clear();
    for (const consumer of consumers) consumer.cancelled();
  }

  /** Hands out what may be, one consumer after another. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    while (this.#ready.length > 0) {
      const consumer = this.#next();
      if (!consumer) break;
      const item = this.#ready.shift();
      if (!item || (item.message.expiresAtMs ?? Number.POSITIVE_INFINITY) <= Date.now()) continue;
      this.#consumers.get(consumer)?.add(item);
      consumer.deliver(item);
    }
    this.#isPumping = false;
  }

  /** The next that has room; it goes to the end of the row. */
  #next(): QueueConsumer | undefined {
    const isSingle = this.options.arguments['x-single-active-consumer'] === true;
    for (const [consumer, held] of this.#consumers) {
      if (consumer.prefetch === 0 || held.size < consumer.prefetch) {
        if (!isSingle) {
          this.#consumers.delete(consumer);
          this.#consumers.set(consumer, held);
        }
        return consumer;
      }
      if (isSingle) return undefined;
    }
    return undefined;
  }
}
