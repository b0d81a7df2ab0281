import { isPattern, matches } from '@evenkeel/access';
import {
  BrokerError,
  type ConsumeOptions,
  type Consumer,
  type Delivery,
  type LostReason,
  type PublishOutcome,
  type QueueCounts,
  type QueueSpec,
} from '@evenkeel/broker';
import type { QueueConnection } from '@evenkeel/mesh';

/** What the broker holds for one message. */
interface Message {
  readonly exchange: string;
  readonly key: string;
  readonly body: string;
  readonly cc?: readonly string[];
}

interface Queue {
  readonly maxLength: number;
  readonly bindings: Set<string>;
  readonly ready: Message[];
  unacked: number;
  consumer: FakeConsumer | undefined;
}

interface FakeConsumer {
  readonly prefetch: number;
  deliver(delivery: Delivery): void;
  lose(why: LostReason): void;
}

/** Something under way; carried out when its turn comes. */
type Step = () => void;

/** An answer of the broker; `again` repeats the request on the next connection when it was not read in time. */
interface Answer {
  readonly read: Step;
  readonly again?: Step;
}

/** A channel for declaring and binding. */
class TopologyChannel {
  readonly requests: Step[] = [];
  readonly answers: Answer[] = [];
}

/** What is under way in one direction of a channel, each in its order; between these there is none. */
export const lines = [
  'topologyRequests',
  'topologyAnswers',
  'bindingRequests',
  'bindingAnswers',
  'otherBindingRequests',
  'otherBindingAnswers',
  'consumerRequests',
  'consumerAnswers',
  'publisherRequests',
  'publisherAnswers',
  'connectionEvents',
] as const;
export type Line = (typeof lines)[number];

const bindingOf = (exchange: string, key: string) => `${exchange} ${key}`;
const isBound = ({ bindings }: Queue, exchange: string, key: string) =>
  bindings.has(bindingOf(exchange, key)) ||
  [...bindings].some((binding) => {
    const [to, pattern = ''] = binding.split(' ');
    return to === exchange && isPattern(pattern) && matches(pattern, key);
  });
const unanswered = () => new BrokerError('broker-unavailable', 'No answer in time.');
const noQueue = (name: string) => new BrokerError('no-queue', `no queue '${name}'`);

/**
 * A broker whose every step waits to be let on: requests and answers of each channel keep their order, and nothing else does.
 * Connections break and queues vanish at any point, and their owners learn of it later.
 */
export class FakeTopicBroker implements QueueConnection {
  state: QueueConnection['state'] = 'open';
  /** Messages that the length limit has dropped. */
  dropped = 0;
  /** Operations, on topics and others, that get no answer in time; true: they were carried out. */
  readonly failures = { topics: [] as boolean[], others: [] as boolean[] };
  readonly #topology = new TopologyChannel();
  readonly #bindings = [new TopologyChannel(), new TopologyChannel()] as const;
  #channels = 0;
  #usedForBindings = 0;
  readonly #consumerRequests: Step[] = [];
  readonly #consumerAnswers: Step[] = [];
  readonly #publisherRequests: Step[] = [];
  readonly #publisherAnswers: Step[] = [];
  readonly #connectionEvents: Step[] = [];
  readonly #queues = new Map<string, Queue>();
  readonly #unconfirmed = new Set<Step>();
  readonly #consumers = new Set<FakeConsumer>();
  readonly #onLost = new Set<(why: string) => void>();
  readonly #whenOpen: Step[] = [];
  #isConnected = true;

  // --- what a queue asks of its connection ---

  on(_event: 'lost', fn: (why: string) => void): () => void {
    this.#onLost.add(fn);
    return () => this.#onLost.delete(fn);
  }

  whenOpen(): Promise<void> {
    if (this.state === 'open') return Promise.resolve();
    return new Promise((resolve) => this.#whenOpen.push(resolve));
  }

  async redeclare(): Promise<void> {}

  /** The first channel is for the queue, the others are for topics: as many as are used, but two here. */
  topology() {
    let channel = this.#channels++ === 0 ? this.#topology : undefined;
    const ask = <T>(carryOut: () => T): Promise<T> => {
      channel ??= this.#bindings[this.#usedForBindings++ % 2] ?? this.#topology;
      return this.#ask(channel, carryOut);
    };
    return {
      declareQueue: ({ name, arguments: args }: QueueSpec) =>
        ask(() => {
          const maxLength = Number(args?.['x-max-length']);
          const queue: Queue = { maxLength, bindings: new Set(), ready: [], unacked: 0, consumer: undefined };
          this.#queues.set(name, queue);
          return { ...countsOf(queue), asIs: false };
        }),
      checkQueue: (name: string) =>
        ask((): QueueCounts | undefined => {
          const queue = this.#queues.get(name);
          return queue && countsOf(queue);
        }),
      deleteQueue: (name: string) => ask(() => this.#remove(name)),
      bind: (name: string, exchange: string, key: string) =>
        ask(() => void this.#found(name).bindings.add(bindingOf(exchange, key))),
      unbind: (name: string, exchange: string, key: string) =>
        ask(() => void this.#found(name).bindings.delete(bindingOf(exchange, key))),
    };
  }

  consumers({ prefetch }: { prefetch: number }) {
    return {
      consume: (name: string, options: ConsumeOptions): Promise<Consumer> =>
        new Promise((resolve, reject) => {
          let state: Consumer['state'] = 'active';
          let onGone: Step | undefined;
          const fake: FakeConsumer = {
            prefetch,
            deliver: (delivery) => options.onDelivery(delivery),
            lose: (why) => {
              this.#consumers.delete(fake);
              reject(unanswered());
              onGone?.();
              if (state !== 'active') return;
              state = 'cancelled';
              options.onLost?.(why);
            },
          };
          this.#consumers.add(fake);
          const consumer: Consumer = {
            queue: name,
            get state() {
              return state;
            },
            cancel: () =>
              new Promise((confirm) => {
                const done = () => confirm(true);
                state = 'cancelled';
                if (!this.#consumers.has(fake)) return done();
                onGone = done;
                this.#consumerRequests.push(() => {
                  const queue = this.#queues.get(name);
                  if (queue?.consumer === fake) queue.consumer = undefined;
                  this.#consumerAnswers.push(done);
                });
              }),
            barrier: async () => undefined,
            unbind: async () => undefined,
          };
          this.#consumerRequests.push(() => {
            const queue = this.#queues.get(name);
            this.#consumerAnswers.push(() => (queue ? resolve(consumer) : reject(noQueue(name))));
            if (!queue) return;
            queue.consumer = fake;
            this.#deliver(queue);
          });
        }),
    };
  }

  // --- the publisher, on a connection of its own ---

  readonly publisher = {
    publish: (exchange: string, key: string, body: string): Promise<PublishOutcome> =>
      new Promise((resolve) => {
        const send = () => {
          const isRouted = this.#route({ exchange, key, body });
          this.#publisherAnswers.push(() => {
            this.#unconfirmed.delete(send);
            resolve(isRouted ? 'routed' : 'unrouted');
          });
        };
        this.#unconfirmed.add(send);
        this.#publisherRequests.push(send);
      }),
  };

  /** The publishing connection breaks and comes back: what was not confirmed goes out once more, in its order. */
  losePublisher(): void {
    this.#publisherRequests.splice(0, this.#publisherRequests.length, ...this.#unconfirmed);
    this.#publisherAnswers.length = 0;
  }

  // --- what happens at the broker ---

  /** Somebody else publishes. */
  publish(exchange: string, key: string, body: string, cc: readonly string[] = []): void {
    this.#route({ exchange, key, body, cc });
  }

  /** `rabbitmqctl delete_queue`. */
  deleteQueues(): void {
    for (const name of [...this.#queues.keys()]) this.#remove(name);
  }

  /** The consuming connection breaks. Its owner reads on for a while before it notices, and is back some time later. */
  loseConnection(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#queues.clear();
    this.#connectionEvents.push(
      () => this.#notice(),
      () => this.#reconnect(),
    );
  }

  #notice(): void {
    this.state = 'connecting';
    this.#consumerRequests.length = 0;
    this.#consumerAnswers.length = 0;
    for (const { requests, answers } of [this.#topology, ...this.#bindings]) {
      requests.unshift(...answers.flatMap(({ again }) => again ?? []));
      answers.splice(0, answers.length, ...answers.filter(({ again }) => !again));
    }
    for (const consumer of this.#consumers) consumer.lose('channel');
    for (const fn of this.#onLost) fn('connection lost');
  }

  #reconnect(): void {
    this.#isConnected = true;
    this.state = 'open';
    for (const resolve of this.#whenOpen.splice(0)) resolve();
  }

  /** Lets the next thing on this line happen; false when there is nothing. */
  step(line: Line): boolean {
    switch (line) {
      case 'topologyRequests':
        return this.#isConnected && run(this.#topology.requests);
      case 'topologyAnswers':
        return run(this.#topology.answers, read);
      case 'bindingRequests':
        return this.#isConnected && run(this.#bindings[0].requests);
      case 'bindingAnswers':
        return run(this.#bindings[0].answers, read);
      case 'otherBindingRequests':
        return this.#isConnected && run(this.#bindings[1].requests);
      case 'otherBindingAnswers':
        return run(this.#bindings[1].answers, read);
      case 'consumerRequests':
        return this.#isConnected && run(this.#consumerRequests);
      case 'consumerAnswers':
        return run(this.#consumerAnswers);
      case 'publisherRequests':
        return run(this.#publisherRequests);
      case 'publisherAnswers':
        return run(this.#publisherAnswers);
      case 'connectionEvents':
        return run(this.#connectionEvents);
    }
  }

  /** What the newest queue is bound with, of `exchange`. */
  bindingsOf(exchange: string): string[] {
    const queue = [...this.#queues.values()].at(-1);
    const prefix = `${exchange} `;
    const found = [...(queue?.bindings ?? [])].filter((binding) => binding.startsWith(prefix));
    return found.map((binding) => binding.slice(prefix.length)).sort();
  }

  #ask<T>(channel: TopologyChannel, carryOut: () => T): Promise<T> {
    const failures = channel === this.#topology ? this.failures.others : this.failures.topics;
    return new Promise((resolve, reject) => {
      const request = () => {
        const failure = failures.shift();
        // A time limit of this side, so nothing is asked again.
        const timeOut = () => void channel.answers.push({ read: () => reject(unanswered()) });
        if (failure === false) return timeOut();
        try {
          const value = carryOut();
          if (failure) return timeOut();
          channel.answers.push({ read: () => resolve(value), again: request });
        } catch (error) {
          channel.answers.push({ read: () => reject(error), again: request });
        }
      };
      channel.requests.push(request);
    });
  }

  #found(name: string): Queue {
    const queue = this.#queues.get(name);
    if (!queue) throw noQueue(name);
    return queue;
  }

  #remove(name: string): void {
    const consumer = this.#queues.get(name)?.consumer;
    this.#queues.delete(name);
    if (consumer) this.#consumerAnswers.push(() => consumer.lose('cancelled'));
  }

  #route(message: Message): boolean {
    let isRouted = false;
    for (const queue of this.#queues.values()) {
      const keys = [message.key, ...(message.cc ?? [])];
      if (!keys.some((key) => isBound(queue, message.exchange, key))) continue;
      isRouted = true;
      queue.ready.push(message);
      this.#deliver(queue);
      if (queue.ready.length > queue.maxLength) {
        queue.ready.shift();
        this.dropped += 1;
      }
    }
    return isRouted;
  }

  #deliver(queue: Queue): void {
    for (const { consumer } = queue; consumer && queue.unacked < consumer.prefetch; ) {
      const message = queue.ready.shift();
      if (!message) return;
      queue.unacked += 1;
      const delivery = this.#delivery(queue, message);
      this.#consumerAnswers.push(() => consumer.deliver(delivery));
    }
  }

  #delivery(queue: Queue, { exchange, key, body, cc = [] }: Message): Delivery {
    let isSettled = false;
    const settle = () => {
      if (isSettled) return;
      isSettled = true;
      queue.unacked -= 1;
      this.#deliver(queue);
    };
    return {
      body: Buffer.from(body),
      exchange,
      key,
      redelivered: false,
      properties: { headers: cc.length > 0 ? { CC: cc } : {}, messageId: body },
      get isSettled() {
        return isSettled;
      },
      isVoid: false,
      forgetContent() {},
      ack: settle,
      requeue: settle,
      drop: settle,
    };
  }
}

const countsOf = (queue: Queue): QueueCounts => ({
  messages: queue.ready.length,
  consumers: queue.consumer ? 1 : 0,
});

const read = (answer: Answer): void => answer.read();

function run<T>(waiting: T[], how: (next: T) => void = (next) => (next as Step)()): boolean {
  const next = waiting.shift();
  if (next === undefined) return false;
  how(next);
  return true;
}
