import { Broker, type Publisher as Confirms, type ConsumerChannels, type Log } from '@evenkeel/broker';
import { atHeader, exchanges, topicKey, toUid, userKey } from '@evenkeel/protocol';
import { v7 as newMessageId } from 'uuid';
import { bodyOf, checkedKey, checkName, checkPattern, type EventOptions } from './message.js';
import { Replies, type ReplyPublisher } from './replies.js';
import { type InboundHandler, type Served, type ServeOptions, type Service, serve } from './service.js';

/** How to reach the mesh. */
export interface CreatePublisherOptions {
  /** `amqp://` or `amqps://` URL of the mesh's broker, or several separated by commas. */
  amqpUrl: string;
  /** Name of this application service: shown by RabbitMQ, and part of the names of its queues. */
  name: string;
  log?: Log;
  /** Connects, and looks for the mesh's exchanges, tried before `createPublisher` rejects. Default: no limit. */
  attempts?: number;
  /** Unconfirmed events at most; up to 10,000 more wait. Default 1,024. */
  window?: number;
  /** Replaces the connection to RabbitMQ (tests): resolves with what acts like amqplib's `ChannelModel`. */
  dial?: (amqpUrl: string) => Promise<object>;
}

/** What became of an event. */
export interface Published {
  /** Its identity (`message_id`). */
  readonly id: string;
  /** False: no queue took it (the user has no session, the topic no subscriber). */
  readonly routed: boolean;
}

/** Publishes events into the mesh and serves what clients send. Make one per process. */
export class Publisher {
  private readonly services = new Set<Service>();
  private readonly broker: Broker;
  private readonly confirms: Confirms;
  private readonly replies: Replies;
  private readonly options: CreatePublisherOptions;
  private consuming: Promise<{ broker: Broker; consumers: ConsumerChannels }> | undefined;

  private constructor(options: CreatePublisherOptions, broker: Broker) {
    this.options = options;
    this.broker = broker;
    this.confirms = broker.publisher({ window: options.window ?? 1_024 });
    this.replies = new Replies({
      publisher: this.confirms,
      toDefault: (): ReplyPublisher => broker.publisher({ window: 64 }),
      log: options.log,
    });
  }

  /** As {@link createPublisher}, which applications call; this one is there also where tests have put another in its place. */
  static async connect(options: CreatePublisherOptions): Promise<Publisher> {
    const broker = await connected(options, options.name, exchanges.events);
    return new Publisher(options, broker);
  }

  /**
   * A directed event: reaches every session of this user once, in the order of the calls of this publisher, also over its
   * reconnects. Resolves when the broker has confirmed.
   * @throws PublisherError, NameError (`bad-user-id`), BrokerError (`publish-timeout`, `publisher-overflow`, …).
   */
  async toUser(
    userId: string,
    event: string,
    payload: unknown,
    options: EventOptions = {},
  ): Promise<Published> {
    checkName('event', event);
    return this.publish(checkedKey(userKey(toUid(userId), event)), payload, options);
  }

  /**
   * The same event to several users, one message each (with an id of its own). Everything is checked before anything is
   * sent; order as {@link toUser}. Rejects if one of them fails; the others may have been published.
   */
  async toUsers(
    userIds: readonly string[],
    event: string,
    payload: unknown,
    options: Omit<EventOptions, 'id'> = {},
  ): Promise<Published[]> {
    checkName('event', event);
    const keys = userIds.map((userId) => checkedKey(userKey(toUid(userId), event)));
    return Promise.all(keys.map((key) => this.publish(key, payload, options)));
  }

  /** A topic event: reaches every connection that has subscribed `topic`. Else as {@link toUser}. */
  async toTopic(topic: string, payload: unknown, options: EventOptions = {}): Promise<Published> {
    checkName('topic', topic);
    return this.publish(checkedKey(topicKey(topic)), payload, options);
  }

  /**
   * Serves clients' requests whose method matches `method` (words; `*` one, `#` any). Each message is acknowledged when its
   * handler has finished and its reply is confirmed. At least once: a repeat of one of the last 1,000 is answered again, not
   * handled again, by the instance that handled it. A publish to a topic of that name is not handled: see {@link on}.
   */
  async serve<Payload = unknown>(
    method: string,
    handler: InboundHandler<Payload>,
    options: ServeOptions = {},
  ): Promise<Service> {
    checkPattern('method', method);
    return this.consume({ kind: 'request', pattern: method }, handler as InboundHandler, options);
  }

  /**
   * Handles what clients publish to topics that match `topic` (words; `*` one, `#` any), each message by one instance of
   * the service. At least once, as {@link serve}; a message whose handler throws comes once more. A request for a method of
   * that name is not handled.
   */
  async on<Payload = unknown>(
    topic: string,
    handler: InboundHandler<Payload>,
    options: ServeOptions = {},
  ): Promise<Service> {
    checkPattern('topic', topic);
    return this.consume({ kind: 'publish', pattern: topic }, handler as InboundHandler, options);
  }

  private async consume(served: Served, handler: InboundHandler, options: ServeOptions): Promise<Service> {
    this.consuming ??= this.openConsuming();
    const { name, log } = this.options;
    const mesh = { ...(await this.consuming), replies: this.replies, name, log };
    const service = await serve(mesh, served, handler, options);
    this.services.add(service);
    return service;
  }

  /** True while it is connected to the broker; else why not, as one sentence. For a readiness probe. */
  readiness(): true | string {
    return this.broker.readiness();
  }

  /** Takes no more requests, waits for handlers and confirms, disconnects. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.services].map((service) => service.stop()));
    this.services.clear();
    await this.confirms.flush();
    const consuming = await this.consuming?.catch(() => undefined);
    await Promise.all([this.broker.close(), consuming?.broker.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async publish(key: string, payload: unknown, options: EventOptions): Promise<Published> {
    const { contentType = 'application/json', headers, traceparent } = options;
    const nowMs = Date.now();
    const id = options.id ?? newMessageId();
    const outcome = await this.confirms.publish(exchanges.events, key, bodyOf(payload, contentType), {
      messageId: id,
      timestamp: Math.floor(nowMs / 1_000),
      contentType,
      headers: { [atHeader]: nowMs, ...headers, ...(traceparent === undefined ? {} : { traceparent }) },
      persistent: options.persistent ?? true,
      mandatory: true,
    });
    return { id, routed: outcome === 'routed' };
  }

  /** A connection of its own: an alarm of the broker blocks a publishing connection whole, acknowledgements included. */
  private async openConsuming(): Promise<{ broker: Broker; consumers: ConsumerChannels }> {
    const broker = await connected(this.options, `${this.options.name} (consuming)`, exchanges.inbound);
    return { broker, consumers: broker.consumers({ channels: 2 }) };
  }
}

/**
 * Connects, and waits until the mesh has declared its exchanges; recovers by itself from then on. It declares none itself,
 * and needs no right to.
 * @throws BrokerError `broker-unreachable` and `no-exchange` (with `attempts`), `broker-refused`.
 */
export const createPublisher = (options: CreatePublisherOptions): Promise<Publisher> =>
  Publisher.connect(options);

/** A connection named `name` to a broker where `exchange` is. */
async function connected(options: CreatePublisherOptions, name: string, exchange: string): Promise<Broker> {
  const { amqpUrl, log, attempts, dial } = options;
  const broker = await Broker.connect({
    url: amqpUrl,
    name,
    ...(log && { log }),
    ...(attempts !== undefined && { attempts }),
    ...(dial && { dial }),
  });
  try {
    await broker.expect([exchange], attempts);
    return broker;
  } catch (error) {
    await broker.close();
    throw error;
  }
}
