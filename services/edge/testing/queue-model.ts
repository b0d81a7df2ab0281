import type { Consumer, Delivery, QueueCounts } from '@evenkeel/broker';
import type { SessionQueue, SessionQueueListener } from '../src/session/ports.js';
import { FakeGeneration } from './fake-generation.js';

/** `n`: of an event; undefined: it is a seal, or else an answer. */
interface Message {
  readonly position: number;
  readonly n: number | undefined;
  readonly seal: string | undefined;
  redelivered: boolean;
}

/** What was delivered on it settles nothing once it is lost. */
interface Channel {
  isOpen: boolean;
}

/**
 * A classic queue as RabbitMQ has it: it keeps places, drops from its head what is too much, and serves one consumer up to a
 * prefetch. What happens happens at once; who wants a delay leaves out a `run`.
 */
export class QueueModel extends FakeGeneration implements SessionQueue {
  readonly name = 'session.alice.s';
  /** The edge that has the session, and those whose sessions have left a seal: by edge, its name and itself. */
  node = 'e';
  readonly left = new Map<string, { readonly name: string; readonly delivery: Delivery }>();
  readonly prefetch: number;
  limit: number;
  /** Seals included. */
  dropped = 0;
  isThere = true;
  #positions = 0;
  #ready: Message[] = [];
  #unacked = new Map<Message, Channel>();
  /** Of each edge, the one that is open. */
  readonly #channels = new Map<string, Channel>();
  /** An event was dropped: told by another way, and sooner or later. */
  onDropped: () => void = () => {};
  /** What comes to the queue before its first seal does. */
  beforeSeal: (() => void) | undefined;
  /** Seals that are to be planted come only when it is not slow any more. */
  isSlow = false;
  #late: { readonly name: string; end(isThere: boolean): void }[] = [];
  /** It was there once, and went with all. */
  wasEmptied = false;
  #listener: SessionQueueListener | undefined;

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
  hurryPlanting(at = this.node): void {
    this.putBack(at);
  }

  leaveSeal(name: string, delivery: Delivery): void {
    this.left.set(this.node, { name, delivery });
  }

  takeSeal(name: string): Delivery | undefined {
    const left = this.left.get(this.node);
    if (left?.name !== name) return undefined;
    this.left.delete(this.node);
    return left.delivery.isVoid ? undefined : left.delivery;
  }

  async sealIsBack(): Promise<void> {
    this.putBack(this.node);
  }

  /** The edge puts back what was left there; it has heard of what was dropped. */
  putBack(at: string): void {
    const left = this.left.get(at);
    this.left.delete(at);
    left?.delivery.requeue();
  }

  #spoilLeft(): void {
    for (const { delivery } of this.left.values()) delivery.ack();
    this.left.clear();
  }

  async takeReplies(): Promise<void> {}
  async refuseReplies(): Promise<void> {}

  async plant(name: string): Promise<boolean> {
    if (!this.isThere) return false;
    const before = this.beforeSeal;
    this.beforeSeal = undefined;
    before?.();
    if (this.isSlow) return await new Promise((resolve) => this.#late.push({ name, end: resolve }));
    this.#put(undefined, name);
    return true;
  }

  /** A seal is on its way. */
  get isLate(): boolean {
    return this.#late.length > 0;
  }

  /** It is not slow any more. */
  hurryUp(): void {
    this.isSlow = false;
    for (const { name, end } of this.#late.splice(0)) {
      if (this.isThere) this.#put(undefined, name);
      end(this.isThere);
    }
  }

  /** What is on its way is lost. */
  loseLate(): void {
    for (const { end } of this.#late.splice(0)) end(false);
  }

  publish(n: number): void {
    if (this.isThere) this.#put(n, undefined);
  }

  /** A service's answer. */
  reply(): void {
    if (this.isThere) this.#put(undefined, undefined);
  }

  async consume(listener: SessionQueueListener): Promise<Consumer> {
    this.#listener = listener;
    const channel = this.#channel;
    // It is the same one after it was lost and restored.
    const isMine = () => this.#listener === listener;
    const room = () => (isMine() ? this.prefetch - this.#unackedHere() : 0);
    const consumer = {
      queue: this.name,
      get state(): Consumer['state'] {
        return isMine() ? 'active' : 'cancelled';
      },
      get room() {
        return room();
      },
      cancel: async () => {
        const isOn = isMine();
        if (isOn) this.#listener = undefined;
        return isOn;
      },
      barrier: async () => {
        if (isMine()) return { messages: 0, consumers: 1 };
        return channel.isOpen ? await this.check() : undefined;
      },
      unbind: async () => undefined,
    };
    this.#run();
    return consumer;
  }

  /** The connection of who consumes it goes: what is not settled is back in its old places. */
  lose(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    const lost = this.#channel;
    lost.isOpen = false;
    this.#channels.delete(this.node);
    for (const [message, channel] of [...this.#unacked]) if (channel === lost) this.#requeue(message);
    listener?.onLost();
  }

  get #channel(): Channel {
    const open = this.#channels.get(this.node);
    if (open) return open;
    const channel = { isOpen: true };
    this.#channels.set(this.node, channel);
    return channel;
  }

  /** All is gone, the queue as well. */
  empty(): void {
    this.lose();
    this.isThere = false;
    this.wasEmptied = true;
    this.#ready = [];
    this.#unacked.clear();
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
    while (this.#listener !== undefined && this.#unackedHere() < this.prefetch) {
      const message = this.#ready.shift();
      if (message === undefined) break;
      this.#unacked.set(message, this.#channel);
      this.#listener.onDelivery(this.#delivery(message));
    }
    while (this.#ready.length > this.limit) {
      const message = this.#ready.shift();
      if (message === undefined) continue;
      this.dropped += 1;
      if (message.seal !== undefined) continue;
      this.#spoilLeft();
      this.onDropped();
    }
  }

  /** The prefetch is a consumer's own: what an earlier one has in hand does not count. */
  #unackedHere(): number {
    const left = this.left.get(this.node);
    let count = left && !left.delivery.isVoid ? -1 : 0;
    for (const channel of this.#unacked.values()) if (channel === this.#channel) count += 1;
    return count;
  }

  #delivery(message: Message): Delivery {
    const channel = this.#channel;
    let isSettled = false;
    const settle = (how: () => void) => {
      if (isSettled) return;
      isSettled = true;
      if (channel.isOpen) how();
    };
    const ack = () =>
      settle(() => {
        this.#unacked.delete(message);
        this.#run();
      });
    const { n, seal, redelivered } = message;
    return {
      body: Buffer.from(String(n ?? '')),
      exchange: n === undefined ? 'mesh.replies' : 'mesh.events',
      key: n === undefined ? this.name : 'user.alice.n',
      redelivered,
      get isSettled() {
        return isSettled;
      },
      get isVoid() {
        return isSettled || !channel.isOpen;
      },
      forgetContent: () => {},
      properties: {
        messageId: `m${n}`,
        ...(n === undefined && seal === undefined && { correlationId: 'r' }),
        headers: seal === undefined ? {} : { 'evenkeel-seal': seal },
      },
      ack,
      requeue: () => settle(() => this.#requeue(message)),
      drop: ack,
    };
  }
}
