import { BrokerError, type ConsumeOptions, type Consumer, type Delivery } from '@evenkeel/broker';
import type { QueueConnection, QueueTopology } from '../own-queue.js';

interface FakeQueue {
  readonly bindings: Set<string>;
  readonly consumers: Set<FakeConsumer>;
}

interface FakeConsumer extends Consumer {
  state: Consumer['state'];
  readonly options: ConsumeOptions;
}

/** A broker and a connection to it in one: queues with bindings and consumers, and every operation in order. */
export class FakeConnection implements QueueConnection {
  state: QueueConnection['state'] = 'open';
  readonly queues = new Map<string, FakeQueue>();
  readonly exchanges = new Set(['x']);
  /** What was asked for, in order: `declare q`, `bind q x k`, … */
  readonly operations: string[] = [];
  /** Operations that are refused, by their beginning: once each. */
  readonly faults: { operation: string; error: Error }[] = [];
  redeclared = 0;
  /** It declares nothing. */
  isPassive = false;
  /** Operations that contain this wait. */
  held: string | undefined;
  #release: () => void = () => {};
  readonly #lost = new Set<(why: string) => void>();
  #opened: { resolve(): void; reject(error: Error): void }[] = [];
  /** One operation after the other, as on one channel. */
  #last: Promise<unknown> = Promise.resolve();

  on(_event: 'lost', fn: (why: string) => void): () => void {
    this.#lost.add(fn);
    return () => this.#lost.delete(fn);
  }

  async whenOpen(): Promise<void> {
    if (this.state === 'open') return;
    if (this.state === 'closed') throw closed();
    await new Promise<void>((resolve, reject) => this.#opened.push({ resolve, reject }));
  }

  async redeclare(): Promise<void> {
    this.redeclared += 1;
    if (this.isPassive) throw new BrokerError('no-exchange', 'exchange x is missing');
    this.exchanges.add('x');
  }

  topology(): QueueTopology {
    return {
      declareQueue: ({ name }) =>
        this.#operate(`declare ${name}`, () => {
          if (!this.queues.has(name)) this.queues.set(name, { bindings: new Set(), consumers: new Set() });
          return { messages: 0, consumers: 0, asIs: false };
        }),
      checkQueue: (name) =>
        this.#operate(`check ${name}`, () => {
          const queue = this.queues.get(name);
          return queue === undefined ? undefined : { messages: 0, consumers: queue.consumers.size };
        }),
      deleteQueue: (name) => this.#operate(`delete ${name}`, () => void this.queues.delete(name)),
      bind: (name, exchange, key) =>
        this.#operate(`bind ${name} ${exchange} ${key}`, () => {
          if (!this.exchanges.has(exchange)) throw noQueue(`no exchange '${exchange}'`);
          this.#queue(name).bindings.add(key);
        }),
      unbind: (name, exchange, key) =>
        this.#operate(`unbind ${name} ${exchange} ${key}`, () => void this.#queue(name).bindings.delete(key)),
    };
  }

  consumers(): { consume(name: string, options: ConsumeOptions): Promise<Consumer> } {
    return {
      consume: (name, options) =>
        this.#operate(`consume ${name}`, () => {
          const queue = this.#queue(name);
          const consumer: FakeConsumer = {
            queue: name,
            options,
            state: 'active',
            cancel: async () => {
              consumer.state = 'cancelled';
              queue.consumers.delete(consumer);
              return true;
            },
            barrier: async () => undefined,
            unbind: async () => undefined,
          };
          queue.consumers.add(consumer);
          return consumer;
        }),
    };
  }

  release(): void {
    this.held = undefined;
    this.#release();
  }

  /** The only queue there is. */
  get only(): FakeQueue | undefined {
    return this.queues.size === 1 ? [...this.queues.values()][0] : undefined;
  }

  deliver(delivery: Partial<Delivery> = {}): void {
    for (const consumer of this.only?.consumers ?? [])
      consumer.options.onDelivery({ ack() {}, properties: { headers: {} }, ...delivery } as Delivery);
  }

  /** Deletes every queue; tells the consumers, as RabbitMQ does, unless `isSilent`. */
  deleteAll(isSilent = false): void {
    const gone = [...this.queues.values()];
    this.queues.clear();
    if (!isSilent) for (const queue of gone) endConsumers(queue, 'cancelled');
  }

  closeChannels(): void {
    for (const queue of this.queues.values()) endConsumers(queue, 'channel');
  }

  /** The connection goes, and its exclusive queues with it. */
  lose(): void {
    this.state = 'connecting';
    const gone = [...this.queues.values()];
    this.queues.clear();
    for (const queue of gone) endConsumers(queue, 'channel');
    for (const fn of [...this.#lost]) fn('connection lost');
  }

  reopen(): void {
    this.state = 'open';
    for (const { resolve } of this.#opened.splice(0)) resolve();
  }

  /** The connection goes for good. */
  close(): void {
    this.lose();
    this.state = 'closed';
    for (const { reject } of this.#opened.splice(0)) reject(closed());
  }

  #queue(name: string): FakeQueue {
    const queue = this.queues.get(name);
    if (queue === undefined) throw noQueue(`no queue '${name}'`);
    return queue;
  }

  #operate<T>(operation: string, run: () => T): Promise<T> {
    const result = this.#last.then(async () => {
      this.operations.push(operation);
      if (this.held !== undefined && operation.includes(this.held)) {
        await new Promise<void>((resolve) => {
          this.#release = resolve;
        });
      }
      if (this.state !== 'open') throw new BrokerError('broker-unavailable', 'no answer');
      const fault = this.faults.find((f) => operation.includes(f.operation));
      if (fault !== undefined) {
        this.faults.splice(this.faults.indexOf(fault), 1);
        throw fault.error;
      }
      return run();
    });
    this.#last = result.catch(() => {});
    return result;
  }
}

function endConsumers(queue: FakeQueue, why: 'cancelled' | 'channel'): void {
  for (const consumer of queue.consumers) {
    consumer.state = 'cancelled';
    consumer.options.onLost?.(why);
  }
  queue.consumers.clear();
}

const closed = () => new BrokerError('broker-closed', 'the connection was closed');
const noQueue = (reason: string) => new BrokerError('no-queue', `RabbitMQ refuses it (${reason})`);
