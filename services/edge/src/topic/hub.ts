import { randomBytes } from 'node:crypto';
import type {
  Broker,
  Consumer,
  ConsumerChannels,
  Delivery,
  Publisher,
  TopologyChannels,
} from '@evenkeel/broker';
import { exchanges, fenceKey, type GapReason, gapReasons, topicKey, topicOfKey } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import { bodyFields, messageIdentity, publishedAt } from '../frame/body.js';

/** A topic without local subscribers stays bound this long, so that coming and going costs the broker nothing. */
const lingerMs = 10_000;
/** Topic messages waiting in the broker for this edge; the oldest is dropped beyond it, which is told. */
const queueMaxLength = 50_000;
/** How often the queue is looked at; an edge that takes nothing for so long fills it only at 10,000 messages a second. */
const lookMs = 5_000;

interface Topic {
  subscribers: number;
  isBound: boolean;
  binding: Promise<void> | undefined;
  linger: NodeJS.Timeout | undefined;
}

interface FenceWaiter {
  number: number;
  resolve(): void;
}

export interface HubOptions {
  node: string;
  boot: string;
  broker: Broker;
  topology: TopologyChannels;
  consumers: ConsumerChannels;
  publisher: Publisher;
  /** Sends a frame to every local subscriber. */
  publish(topic: string, frame: string): void;
  now: () => number;
  log: Log;
}

/**
 * The topics of this edge. Each is bound once, to the edge's own exclusive queue, while it has local
 * subscribers, and fanned out in process.
 */
export class TopicHub {
  readonly #options: HubOptions;
  readonly #topics = new Map<string, Topic>();
  #queue = '';
  #consumer: Consumer | undefined;
  #looking: NodeJS.Timeout | undefined;
  #fenceSent = 0;
  #fencePassed = 0;
  #fenceInFlight = false;
  #fenceWaiters: FenceWaiter[] = [];
  #stopListening: () => void = () => {};

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get topicCount(): number {
    return this.#topics.size;
  }

  /** Start it on an open connection. */
  async start(): Promise<void> {
    // The queue is exclusive: it goes with the connection, and so does what was in it.
    this.#stopListening = this.#options.broker.on('open', () => void this.#reopen());
    await this.#open();
    this.#looking = setInterval(() => void this.#lookForOverflow(), lookMs);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    clearInterval(this.#looking);
    for (const topic of this.#topics.values()) clearTimeout(topic.linger);
    await this.#consumer?.cancel();
  }

  /** Counts a subscriber in; resolves once every later message of the topic reaches this edge. */
  async join(name: string): Promise<void> {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = { subscribers: 0, isBound: false, binding: undefined, linger: undefined };
      this.#topics.set(name, topic);
    }
    topic.subscribers += 1;
    clearTimeout(topic.linger);
    topic.linger = undefined;
    if (topic.isBound) return;
    topic.binding ??= this.#bind(name, topic);
    try {
      await topic.binding;
    } catch (error) {
      this.leave(name);
      throw error;
    }
  }

  leave(name: string): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    topic.subscribers -= 1;
    if (topic.subscribers > 0 || topic.linger) return;
    topic.linger = setTimeout(() => this.#unbind(name, topic), lingerMs);
    topic.linger.unref();
  }

  /**
   * Resolves once this edge has handled every topic message that was in its queue at the time of the call:
   * a marker is sent through the same queue. Gives up after `timeoutMs`.
   */
  async fence(timeoutMs: number): Promise<boolean> {
    return await new Promise((resolve) => {
      // A marker already on its way was sent before this call: only a later one proves anything.
      const number = this.#fenceSent + 1;
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#fenceWaiters.push({
        number,
        resolve: () => {
          clearTimeout(timer);
          resolve(true);
        },
      });
      if (!this.#fenceInFlight) this.#sendFence();
    });
  }

  #sendFence(): void {
    this.#fenceInFlight = true;
    this.#fenceSent += 1;
    const { publisher, node, boot } = this.#options;
    const number = this.#fenceSent;
    publisher.publish(exchanges.control, fenceKey(node, boot), String(number), { mandatory: true }).then(
      (outcome) => {
        if (outcome === 'unrouted') this.#fenceLost(number);
      },
      () => this.#fenceLost(number),
    );
  }

  /** The queue is being made anew: what was in it is lost and told as a gap, so nobody need wait for it. */
  #fenceLost(number: number): void {
    this.#passFence(number);
  }

  #passFence(number: number): void {
    if (number <= this.#fencePassed) return;
    this.#fencePassed = number;
    const waiting: FenceWaiter[] = [];
    for (const waiter of this.#fenceWaiters) {
      if (waiter.number <= number) waiter.resolve();
      else waiting.push(waiter);
    }
    this.#fenceWaiters = waiting;
    this.#fenceInFlight = false;
    if (waiting.length > 0) this.#sendFence();
  }

  async #open(): Promise<void> {
    const { topology, consumers, node, boot } = this.#options;
    const queue = `edge.${node}.${randomBytes(6).toString('base64url')}`;
    await topology.declareQueue({
      name: queue,
      durable: false,
      exclusive: true,
      arguments: { 'x-max-length': queueMaxLength },
    });
    await topology.bind(queue, exchanges.control, fenceKey(node, boot));
    this.#queue = queue;
    this.#consumer = await consumers.consume(queue, { onDelivery: (delivery) => this.#onDelivery(delivery) });
  }

  async #lookForOverflow(): Promise<void> {
    const counts = await this.#options.topology.checkQueue(this.#queue).catch(() => undefined);
    if (!counts || counts.messages < queueMaxLength) return;
    this.#options.log.warn({ messages: counts.messages }, 'topic queue full, the oldest are dropped');
    for (const name of this.#topics.keys()) this.#tellGap(name, gapReasons.overflow);
  }

  #tellGap(name: string, reason: GapReason): void {
    this.#options.publish(name, JSON.stringify({ t: 'gap', topic: name, reason }));
  }

  async #reopen(): Promise<void> {
    const { log } = this.#options;
    try {
      this.#consumer?.cancel().catch(() => {});
      await this.#open();
      const names = [...this.#topics.keys()];
      for (const topic of this.#topics.values()) topic.isBound = false;
      await Promise.all(
        names.map(async (name) => {
          const topic = this.#topics.get(name);
          if (!topic) return;
          topic.binding = this.#bind(name, topic);
          await topic.binding;
          this.#tellGap(name, gapReasons.brokerLost);
        }),
      );
      this.#passFence(this.#fenceSent);
    } catch (error) {
      log.warn({ err: error }, 'topics not restored yet');
    }
  }

  async #bind(name: string, topic: Topic): Promise<void> {
    try {
      await this.#options.topology.bind(this.#queue, exchanges.events, topicKey(name));
      topic.isBound = true;
    } finally {
      topic.binding = undefined;
    }
  }

  #unbind(name: string, topic: Topic): void {
    topic.linger = undefined;
    if (topic.subscribers > 0) return;
    this.#topics.delete(name);
    this.#options.topology.unbind(this.#queue, exchanges.events, topicKey(name)).catch(() => {
      // The binding goes with the queue; a stray one costs a look-up per message and no more.
    });
  }

  #onDelivery(delivery: Delivery): void {
    if (delivery.exchange === exchanges.control) {
      this.#passFence(Number(delivery.body.toString('utf8')));
      delivery.ack();
      return;
    }
    const topic = topicOfKey(delivery.key);
    if (topic !== undefined) {
      // Derived from content alone, so both edges of a move give a message the same id and the client can merge.
      const head = `{"t":"message","topic":${JSON.stringify(topic)},"id":${JSON.stringify(messageIdentity(delivery))}`;
      const at = publishedAt(delivery, this.#options.now());
      this.#options.publish(topic, `${head},"at":${at}${bodyFields(delivery)}}`);
    }
    delivery.ack();
  }
}
