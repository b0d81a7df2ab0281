import {
  type Broker,
  BrokerError,
  type ConsumerChannels,
  type Log,
  type PublisherLanes,
  type TopologyChannels,
} from '@evenkeel/broker';
import { withDeadline } from '@evenkeel/pace';
import { exchanges, isSid, orderKey, toUid } from '@evenkeel/protocol';
import { Asks } from './asks.js';
import { answering, authorizing, isOfMesh, questionKey } from './authorize.js';
import { Cancellations } from './cancellations.js';
import { Checking } from './checking.js';
import { confirmsOf } from './confirms.js';
import { connected } from './connect.js';
import { PublisherError } from './errors.js';
import { HandledCounts, type PublisherFigures } from './figures.js';
import { checkPattern } from './message.js';
import { servingOf } from './options.js';
import { PresenceQuestions } from './presence-questions.js';
import type { OnlineOptions, TopicPresence, UserPresence } from './presence-types.js';
import { Publishing } from './publishing.js';
import type { Served } from './queues.js';
import { Receipts } from './receipts.js';
import { checkFree, type Registered } from './registered.js';
import { Replies, type ReplyPublisher } from './replies.js';
import { Sending } from './sending.js';
import { serve } from './service.js';
import { makesParts } from './stream.js';
import type { Tracing } from './tracing.js';
import type {
  AskOptions,
  AuthorizeHandler,
  AuthorizeOptions,
  CreatePublisherOptions,
  InboundHandler,
  InboundMessage,
  Publisher as PublisherSurface,
  ServeOptions,
  Service,
  SessionAnswer,
} from './types.js';

interface Consuming {
  readonly broker: Broker;
  readonly topology: TopologyChannels;
  readonly consumers: ConsumerChannels;
  readonly cancellations: Cancellations;
  readonly receipts: Receipts;
}

/** A user's sessions, or one of them. */
export interface Placed {
  readonly user: string;
  readonly session?: string | undefined;
}

/** Publishes into one mesh, and serves what its clients send. */
export class MeshPublisher extends Sending implements PublisherSurface {
  readonly #registered = new Set<Registered>();
  readonly #broker: Broker;
  readonly #confirms: PublisherLanes;
  readonly #replies: Replies;
  readonly #asks: Asks;
  readonly #presence: PresenceQuestions;
  protected readonly checking: Checking;
  readonly #options: CreatePublisherOptions;
  readonly #log: Log;
  readonly #closeTimeoutMs: number;
  readonly #tracing: Tracing;
  readonly #ending = new AbortController();
  readonly publishing: Publishing;
  readonly #handled = new HandledCounts();
  #consumingBroker: Broker | undefined;
  #consuming: Promise<Consuming> | undefined;

  constructor(options: CreatePublisherOptions, broker: Broker, log: Log, tracing: Tracing) {
    super();
    this.#options = options;
    this.#tracing = tracing;
    this.checking = new Checking(options.mesh);
    this.#log = log;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 10_000;
    this.#broker = broker;
    this.#confirms = confirmsOf(broker, options.window);
    this.publishing = new Publishing({
      confirms: this.#confirms,
      tracing,
      receipts: async () => (await this.#connection()).receipts,
    });
    this.#replies = new Replies({
      publisher: this.#confirms,
      toDefault: (): ReplyPublisher => broker.publisher({ window: 64 }),
      log,
    });
    const asking = {
      name: options.name,
      publisher: this.#confirms,
      consuming: () => this.#connection(),
    };
    this.#asks = new Asks(asking);
    this.#presence = new PresenceQuestions(asking);
  }

  join(topic: string, who: Placed): Promise<void> {
    return this.#place('join', topic, who);
  }

  leave(topic: string, who: Placed): Promise<void> {
    return this.#place('leave', topic, who);
  }

  async ask<Answer>(user: string, method: string, data?: unknown, options: AskOptions = {}): Promise<Answer> {
    const given = this.checking.given({ kind: 'served', name: method, part: 'data' }, data);
    if (given) await given;
    const answer = await this.#asks.ask(user, method, data, options);
    const isOfAll = options.want === 'all';
    const checked = isOfAll
      ? this.checking.answers(method, answer as SessionAnswer[])
      : this.checking.answer(method, answer);
    return (await checked) as Answer;
  }

  online(user: string, options?: OnlineOptions): Promise<UserPresence> {
    return this.#presence.user(user, options);
  }

  presence(topic: string, options?: OnlineOptions): Promise<TopicPresence> {
    return this.#presence.topic(topic, options);
  }

  async #place(command: 'join' | 'leave', topic: string, { user, session }: Placed): Promise<void> {
    checkPattern('topic', topic);
    toUid(user);
    if (session !== undefined && !isSid(session))
      throw new PublisherError(
        'bad-option',
        'session is no id of a session; leave it out for all of the user',
      );
    const body = JSON.stringify({ user, session });
    const properties = { contentType: 'application/json', persistent: true };
    await this.#confirms.publish(exchanges.topics, orderKey(command, topic), body, properties);
  }

  async serve(
    method: string,
    handler: (message: InboundMessage<never>) => unknown,
    options: ServeOptions = {},
  ): Promise<Service> {
    checkPattern('method', method);
    return this.#serve({ kind: 'request', pattern: method }, handler as InboundHandler, options);
  }

  async on<Payload = unknown>(
    topic: string,
    handler: InboundHandler<Payload>,
    options: ServeOptions = {},
  ): Promise<Service> {
    checkPattern('topic', topic);
    return this.#serve({ kind: 'publish', pattern: topic }, handler as InboundHandler, options);
  }

  async authorize(
    pattern: string,
    handler: AuthorizeHandler,
    options: AuthorizeOptions = {},
  ): Promise<Service> {
    checkPattern('topic', pattern);
    const served: Served = { kind: 'request', pattern: questionKey(pattern) };
    return this.#serve(served, answering(handler, this.#log), authorizing(options));
  }

  figures(): PublisherFigures {
    const consuming = this.#consumingBroker?.figures();
    const broker = this.#broker.figures();
    const publishing = { ...broker, waiting: broker.waiting + this.publishing.waiting };
    return {
      connections: { publishing, ...(consuming !== undefined && { consuming }) },
      published: { ...this.publishing.counts },
      handled: { ...this.#handled.counts },
      running: this.#handled.running,
    };
  }

  readiness(): true | string {
    return this.#broker.readiness();
  }

  protected async end(): Promise<void> {
    const untilMs = performance.now() + this.#closeTimeoutMs;
    this.#ending.abort();
    this.#asks.close(closed());
    this.#presence.close(closed());
    await Promise.all([...this.#registered].map(({ service }) => service?.stop()));
    const leftMs = Math.max(0, untilMs - performance.now());
    const flushed = this.publishing.flush().then(() => this.#confirms.flush());
    await withDeadline(flushed, leftMs, () => undefined).catch(() => {});
    this.publishing.close(closed());
    const consuming = await this.#consuming?.catch(() => undefined);
    await Promise.all([this.#broker.close(), consuming?.broker.close()]);
  }

  async #serve(served: Served, handler: InboundHandler, options: ServeOptions): Promise<Service> {
    if (typeof handler !== 'function')
      throw new PublisherError('bad-option', 'the handler is no function; give (message) => answer');
    const serving = servingOf(makesParts(handler) ? { ...forParts, ...options } : options);
    if (this.#ending.signal.aborted) throw closed();
    const checked = isOfMesh(served.pattern) ? handler : this.checking.handling(served, handler);
    const registered: Registered = { ...served, queue: serving.queue };
    checkFree(this.#registered, registered);
    this.#registered.add(registered);
    try {
      const { name } = this.#options;
      const mesh = {
        replies: this.#replies,
        name,
        log: this.#log,
        counts: this.#handled,
        tracing: this.#tracing,
        closeTimeoutMs: this.#closeTimeoutMs,
      };
      const service = await serve({ ...mesh, ...(await this.#connection()) }, served, checked, serving);
      registered.service = this.#forgetting(service, registered);
      if (this.#ending.signal.aborted) {
        await service.stop();
        throw closed();
      }
      return registered.service;
    } catch (error) {
      this.#registered.delete(registered);
      throw error;
    }
  }

  /** What has stopped may be served anew. */
  #forgetting(service: Service, registered: Registered): Service {
    return {
      get ignored() {
        return service.ignored;
      },
      get dropped() {
        return service.dropped;
      },
      stop: async () => {
        await service.stop();
        this.#registered.delete(registered);
      },
    };
  }

  /** A connection of its own: an alarm of the broker blocks a publishing connection whole, acknowledgements included. */
  #connection(): Promise<Consuming> {
    this.#consuming ??= this.#openConsuming().catch((error: unknown) => {
      this.#consuming = undefined;
      throw error;
    });
    return this.#consuming;
  }

  async #openConsuming(): Promise<Consuming> {
    const name = `${this.#options.name} (consuming)`;
    const dialled = { name, exchange: exchanges.inbound, signal: this.#ending.signal };
    const broker = await connected(this.#options, this.#log, dialled);
    this.#consumingBroker = broker;
    const consumers = broker.consumers({ channels: 2 });
    const topology = broker.topology({ channels: 1 });
    const { name: service } = this.#options;
    const onError = (error: unknown) => this.#log.error({ error }, 'a handler of receipts failed');
    const parts = { name: service, topology, consumers };
    return {
      broker,
      topology,
      consumers,
      cancellations: new Cancellations(parts),
      receipts: new Receipts({ ...parts, onError }),
    };
  }
}

/** An answer in parts lasts, and keeps nobody waiting. */
const forParts: ServeOptions = { order: 'none', concurrency: 256 };

const closed = (): BrokerError =>
  new BrokerError('broker-closed', 'The publisher is closed; create another with createPublisher.');
