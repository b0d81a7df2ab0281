import type { Consumer, Delivery, QueueCounts } from '@evenkeel/broker';
import type { SessionQueue, SessionQueueListener } from '../src/session/ports.js';
import { FakeGeneration } from './fake-generation.js';

/** `n`: of an event; undefined: it is a seal. */
interface Message {
  readonly position: number;
  readonly n: number | undefined;
  readonly seal: string | undefined;
  redelivered: boolean;
}

/**
 * A classic queue as RabbitMQ has it: it keeps places, drops from its head what is too much, and serves one consumer up to a
 * prefetch. What happens happens at once; who wants a delay leaves out a `run`.
 */
export class QueueModel extends FakeGeneration implements SessionQueue {
  readonly name = 'session.alice.s';
  readonly prefetch: number;
  limit: number;
  /** Seals included. */
  dropped = 0;
  isThere = true;
  #positions = 0;
  #ready: Message[] = [];
  #unacked = new Set<Message>();
  /** An event was dropped: told by another way, and sooner or later. */
  onDropped: () => void = () => {};
  /** It was there once, and went with all. */
  wasEmptied = false;
  #listener: SessionQueueListener | undefined;
  /** Of the consumer: what was delivered before a loss settles nothing. */
  #incarnation = 0;

  constructor(limit: number, prefetch: number) {
    super();
    this.limit = limit;
    this.prefetch = prefetch;
  }

  /** Of who consumes it. */
  get listener(): SessionQueueListener | undefined {
    return this.#listener;
  }

  async check(): Promise<QueueCounts | undefined> {
    if (!this.isThere) return undefined;
    return { messages: this.#ready.length, consumers: this.#listener === undefined ? 0 : 1 };
  }

  async make(onSealable?: () => void): Promise<boolean> {
    this.isThere = true;
    onSealable?.();
    return false;
  }

  isMade(): void {}
  hurryPlanting(): void {}
  async takeReplies(): Promise<void> {}
  async refuseReplies(): Promise<void> {}

  async plant(name: string): Promise<boolean> {
    if (!this.isThere) return false;
    this.#put(undefined, name);
    return true;
  }

  publish(n: number): void {
    if (this.isThere) this.#put(n, undefined);
  }

  async consume(listener: SessionQueueListener): Promise<Consumer> {
    this.#listener = listener;
    this.#incarnation += 1;
    const incarnation = this.#incarnation;
    // It is the same one after it was lost and restored.
    const isMine = () => this.#listener === listener;
    const consumer = {
      queue: this.name,
      get state(): Consumer['state'] {
        return isMine() ? 'active' : 'cancelled';
      },
      cancel: async () => {
        if (isMine()) this.#listener = undefined;
      },
      barrier: async () => {
        if (isMine()) return { messages: 0, consumers: 1 };
        return incarnation === this.#incarnation ? await this.check() : undefined;
      },
    };
    this.#run();
    return consumer;
  }

  /** The connection of who consumes it goes: what is not settled is back in its old places. */
  lose(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#incarnation += 1;
    for (const message of [...this.#unacked]) this.#requeue(message);
    listener?.onLost();
  }

  /** All is gone, the queue as well. */
  empty(): void {
    this.lose();
    this.isThere = false;
    this.wasEmptied = true;
    this.#ready = [];
  }

  /** Its messages are gone. */
  purge(): void {
    this.wasEmptied = true;
    this.dropped += this.#ready.length;
    this.#ready = [];
  }

  #put(n: number | undefined, seal: string | undefined): void {
    this.#positions += 1;
    this.#ready.push({ position: this.#positions, n, seal, redelivered: false });
    this.#run();
  }

  #requeue(message: Message): void {
    if (!this.#unacked.delete(message)) return;
    message.redelivered = true;
    this.#ready.push(message);
    this.#ready.sort((a, b) => a.position - b.position);
    this.#run();
  }

  #run(): void {
    while (this.#listener !== undefined && this.#unacked.size < this.prefetch) {
      const message = this.#ready.shift();
      if (message === undefined) break;
      this.#unacked.add(message);
      this.#listener.onDelivery(this.#delivery(message));
    }
    while (this.#ready.length > this.limit) {
      const message = this.#ready.shift();
      if (message === undefined) continue;
      this.dropped += 1;
      if (message.n !== undefined) this.onDropped();
    }
  }

  #delivery(message: Message): Delivery {
    const incarnation = this.#incarnation;
    let isSettled = false;
    const settle = (how: () => void) => {
      if (isSettled) return;
      isSettled = true;
      if (incarnation === this.#incarnation) how();
    };
    const ack = () =>
      settle(() => {
        this.#unacked.delete(message);
        this.#run();
      });
    const { n, seal, redelivered } = message;
    return {
      body: Buffer.from(String(n ?? '')),
      exchange: seal === undefined ? 'mesh.events' : 'mesh.replies',
      key: seal === undefined ? 'user.alice.n' : this.name,
      redelivered,
      isSettled: false,
      forgetContent: () => {},
      properties: {
        messageId: `m${n}`,
        headers: seal === undefined ? {} : { 'evenkeel-seal': seal },
      },
      ack,
      requeue: () => settle(() => this.#requeue(message)),
      drop: ack,
    };
  }
}
