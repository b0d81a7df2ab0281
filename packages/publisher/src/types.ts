import type { BrokerTls, Log } from '@evenkeel/broker';
import type {
  Got,
  MeshDefinition,
  RequestsOf,
  Sent,
  ServedOf,
  StreamsOf,
  Unlisted,
} from '@evenkeel/protocol/wire';
import type { CellMap } from './cell-map.js';
import type { AskError } from './errors.js';
import type { PublisherFigures } from './figures.js';
import type { DirectedOptions, TopicOptions } from './message.js';
import type { OnlineOptions, TopicPresence, UserPresence } from './presence-types.js';
import type {
  AuthorizeHandler,
  AuthorizeOptions,
  InboundHandler,
  InboundMessage,
  ServeOptions,
  Service,
} from './service-types.js';

export type * from './presence-types.js';
export type * from './service-types.js';

/**
 * Events, topics: their names and what they carry. An `interface` will do.
 * @example
 * const any: Publisher<PayloadMap, PayloadMap> = await createPublisher({ amqpUrl, name: 'shop' });
 */
export type PayloadMap = Record<string, unknown>;
/**
 * Methods: their names, and each as a function from the request's data to the answer.
 * @example
 * const none: MethodMap = { 'shop.greet': ({ user }: { user: string }) => `Hello, ${user}` };
 */
export type MethodMap = Record<string, (data: never) => unknown>;
/**
 * The methods that services answer, of a map as `connect<Mesh>()` of the client takes it; of any other map any methods.
 * @example
 * type Price = MethodsOf<Mesh>['shop.price']; // (data: { item: string }) => number
 */
export type MethodsOf<Map extends object> = [RequestsOf<Map, never>] extends [never]
  ? [StreamsOf<Map, never>] extends [never]
    ? MethodMap
    : StreamMethods<StreamsOf<Map>>
  : {
      [Name in keyof RequestsOf<Map>]: (
        data: QuestionOf<RequestsOf<Map>[Name]>,
      ) => AnswerOf<RequestsOf<Map>[Name]>;
    } & StreamMethods<StreamsOf<Map>>;
type StreamMethods<Streams> = {
  [Name in keyof Streams]: (
    data: QuestionOf<Streams[Name]>,
  ) => AsyncIterable<Streams[Name] extends { part: infer Part } ? Part : unknown>;
};

/** Names in a map; of none, any. */
type NameIn<Map> = keyof Map & string;
/** What no map need have: patterns; where there is no map, any name. */
type Unmapped<Map> = string extends keyof Map ? string : `${string}*${string}` | `${string}#${string}`;
/** The handler of a method as a map has it. */
type HandlerOf<Method> = Method extends (data: infer Data) => infer Answer
  ? (message: InboundMessage<Data>) => Answer | Promise<Awaited<Answer>>
  : InboundHandler;

/**
 * How to reach the mesh.
 * @example
 * const options: CreatePublisherOptions = { amqpUrl, name: 'shop', timeoutMs: 10_000 };
 * const publisher = await createPublisher(options);
 */
export interface CreatePublisherOptions {
  /** `amqp://` or `amqps://` URL of the mesh's broker, or several separated by commas. */
  amqpUrl: string;
  /** How to speak TLS to `amqps://` addresses, beside the authorities that Node trusts. */
  tls?: BrokerTls;
  /** Name of this application service: shown by RabbitMQ, and part of the names of its queues. Instances that share work share it. */
  name: string;
  /**
   * What the mesh carries, as {@link defineMesh} makes it: types come from it. What is published otherwise is refused with `bad-data`. A
   * request with other data is answered `bad-data` before its handler runs; what clients publish otherwise is dropped, and logged.
   */
  mesh?: MeshDefinition;
  /** Default: warnings and errors go to the console, each kind once a minute. */
  log?: Log;
  /** Connects, and looks for the mesh's exchanges, tried before `createPublisher` rejects. Default: no limit. */
  attempts?: number;
  /** How long `createPublisher` tries. Default: no limit; the log says after the first try that it goes on. */
  timeoutMs?: number;
  /** Ends the trying. Has no effect once there is a publisher. */
  signal?: AbortSignal;
  /**
   * Unconfirmed events at most; up to 10,000 more wait, or 64 MiB of their bodies. What is more rejects with `publisher-overflow`. Default
   * 1,024.
   */
  window?: number;
  /** How long `close` and `stop` wait for handlers that run and events that are not confirmed. Default 10,000. */
  closeTimeoutMs?: number;
  /** Replaces the connection to RabbitMQ (tests): resolves with what acts like amqplib's `ChannelModel`. */
  dial?: (amqpUrl: string) => Promise<object>;
  /** See {@link CellPublisherOptions}. */
  cells?: undefined;
}

/**
 * How to reach a mesh of several cells, each with a RabbitMQ of its own. An event for a user goes to the user's cell, and, while the map says
 * that the user's cell changes, to the one before as well, with one id. A message of a topic goes to every cell. Where one of them does not
 * answer the call rejects after its time, with the cell in the message; the others have it. What clients of any cell send is served.
 * @example
 * const { readFileSync } = await import('node:fs');
 * const cells = new CellMap(readFileSync('cells.json', 'utf8'));
 * const options: CellPublisherOptions = { cells, name: 'shop' };
 * process.on('SIGHUP', () => cells.update(readFileSync('cells.json', 'utf8')));
 */
export interface CellPublisherOptions extends Omit<CreatePublisherOptions, 'amqpUrl' | 'attempts' | 'cells'> {
  cells: CellMap;
  amqpUrl?: undefined;
  attempts?: undefined;
}

/**
 * How a user's clients are asked.
 * @example
 * const options: AskOptions = { timeoutMs: 20_000 };
 * await publisher.ask('alice', 'order.confirm', { order: 7 }, { ...options, want: 'first' });
 */
export interface AskOptions {
  /** `first` (default): one answer is enough. `all`: that of every session. */
  want?: 'first' | 'all';
  /** How long answers are waited for, ms, 1 to 60,000; a first connection to get them on is part of it. Default 10,000. */
  timeoutMs?: number;
}

/**
 * What one session has answered.
 * @example
 * const answers: SessionAnswer<boolean>[] = await publisher.ask('alice', 'order.confirm', { order: 7 }, { want: 'all' });
 * for (const { session, data, error } of answers) console.log(session, error?.code ?? data);
 */
export type SessionAnswer<Answer = unknown> =
  | { readonly session: string; readonly data: Answer; readonly error?: undefined }
  | { readonly session: string; readonly data?: undefined; readonly error: AskError };

/** The data of a method that clients serve, and its answer. */
type QuestionOf<Method> = Method extends { data: infer Data } ? Data : undefined;
type AnswerOf<Method> = Method extends { reply: infer Reply } ? Reply : unknown;

/**
 * What became of an event.
 * @example
 * const { id, routed }: Published = await publisher.toUser('alice', 'order.created', { number: 7 });
 */
export interface Published {
  /** Its identity (`message_id`). */
  readonly id: string;
  /**
   * False: no queue took it (the user has no session, the topic no subscriber). While a queue is bound to `mesh.unrouted`, that one takes
   * what nobody else does, and this is always true.
   */
  readonly routed: boolean;
}

/**
 * One event of a batch: to a user, to several, or to a topic.
 * @example
 * const events: BatchEvent[] = [{ users: ['alice', 'bob'], event: 'sale.begun', payload: { until: 18 } }];
 */
export type BatchEvent<Events extends object = PayloadMap, Topics extends object = PayloadMap> =
  | {
      [Name in NameIn<Events>]: ({ readonly user: string } | { readonly users: readonly string[] }) & {
        readonly event: Name;
        readonly payload: Events[Name];
        readonly options?: DirectedOptions;
      };
    }[NameIn<Events>]
  | {
      [Name in NameIn<Topics>]: {
        readonly topic: Name;
        readonly payload: Sent<Topics[Name]>;
        readonly options?: TopicOptions;
      };
    }[NameIn<Topics>];

/**
 * One event to many users, in one message.
 * @example
 * const sale: SharedEvent = { users: ['alice', 'bob'], event: 'sale.begun', payload: { until: 18 } };
 */
export interface SharedEvent<
  Events extends object = PayloadMap,
  Name extends NameIn<Events> = NameIn<Events>,
> {
  readonly users: readonly string[];
  readonly event: Name;
  readonly payload: Events[Name];
  readonly options?: DirectedOptions;
}

/**
 * What became of an event of a batch.
 * @example
 * const results: BatchResult[] = await publisher.batch([{ topic: 'prices.demo', payload: { price: 39 } }]);
 * console.log(results.map(({ routed }) => routed));
 */
export interface BatchResult {
  /** Identities of its messages: one, or several where it has many users. */
  readonly ids: readonly string[];
  /** False: no queue took it; as {@link Published.routed}. */
  readonly routed: boolean;
  /** Some of it was not sent. */
  readonly error?: Error;
}

/**
 * Publishes events into the mesh and serves what clients send. Make one per process: {@link createPublisher}.
 *
 * With maps of types the compiler checks names and what they carry: `createPublisher<Events, Topics, Methods>(…)`.
 */
export interface Publisher<
  Events extends object = PayloadMap,
  Topics extends object = PayloadMap,
  Methods extends object = MethodMap,
  Served extends object = ServedOf<Record<never, never>>,
> {
  /**
   * A directed event: reaches every session of this user once, in the order of the calls of this publisher, also over its
   * reconnects. Resolves when the broker has confirmed. While an earlier call waits for something first (an asynchronous schema of `mesh`;
   * the first one with `onReceipt` for its queue; a large batch for RabbitMQ) it waits for its turn, 30 s at most.
   * @throws PublisherError, NameError (`bad-user-id`), BrokerError (`publish-timeout`, `publisher-overflow`, …).
   */
  toUser<Name extends NameIn<Events>>(
    userId: string,
    event: Name,
    payload: Events[Name],
    options?: DirectedOptions,
  ): Promise<Published>;

  /**
   * The same event to several users, one message each (with an id of its own), also to who is named twice: the results are in the order
   * of `userIds`, and alike for the same user. Everything is checked before anything is sent; order as {@link toUser}. Rejects if one of
   * them fails; the others may have been published.
   */
  toUsers<Name extends NameIn<Events>>(
    userIds: readonly string[],
    event: Name,
    payload: Events[Name],
    options?: Omit<DirectedOptions, 'id'>,
  ): Promise<Published[]>;

  /** A topic event: reaches every connection that has subscribed `topic`. Else as {@link toUser}. */
  toTopic<Name extends NameIn<Topics>>(
    topic: Name,
    payload: Sent<Topics[Name]>,
    options?: TopicOptions,
  ): Promise<Published>;

  /**
   * One event to many users in one message, of one id: RabbitMQ puts it into the queue of each session once. The keys of all users,
   * `user.<uid>.<event>`, may have 4,096 bytes together: about 150 users. `routed`: one of them at least has a session. With `onReceipt` each
   * session gives its own receipt. Published again with the same `id` it is known as a repeat, by each client. Else as {@link toUser}.
   * @example await publisher.event({ users: ['alice', 'bob'], event: 'sale', payload: 7, options: { id: 'sale-7' } });
   * @throws PublisherError `bad-option` for more users, or none; else as {@link toUser}.
   */
  event<Name extends NameIn<Events>>(event: SharedEvent<Events, Name>): Promise<Published>;

  /**
   * Sends up to 10,000 events, in their order: 2,048 and 16 MiB at a time, the next as those are confirmed. So a batch has room whatever
   * its size. An event to many `users` is one message with a header `CC` for as many as fit in 4 KiB, so it costs the broker's connection
   * less than {@link toUsers}; whether each of them has a session is not known then. Everything is checked before anything is sent; what
   * fails on the way is in the results, which are in the order of the events. Where RabbitMQ confirms none of it for 30 s, the rest is not
   * sent (`publish-timeout`). What is published after it waits behind it.
   * @example await publisher.batch([{ users: ['alice', 'bob'], event: 'sale', payload: 7 }, { topic: 'prices.tea', payload: 3 }]);
   * @throws PublisherError, NameError for what can never be sent; `bad-option` also where an event has not exactly one of `user`,
   * `users` (at least one) and `topic`.
   */
  batch(events: readonly BatchEvent<Events, Topics>[]): Promise<BatchResult[]>;

  /**
   * Puts a user's sessions into a topic, whatever the user may subscribe; those that are away or moving when they are there again.
   * `session`: this one alone. It ends with the session, by {@link leave}, or by the client's `unsubscribe`. Resolves when the broker
   * has confirmed; it is done within moments, in the order of the calls of this publisher.
   * @throws PublisherError `bad-name`, `bad-option`; NameError `bad-user-id`; BrokerError.
   */
  join(topic: string, who: { readonly user: string; readonly session?: string | undefined }): Promise<void>;
  /** Takes a user's sessions out of a topic, also where they have subscribed it themselves. Else as {@link join}. */
  leave(topic: string, who: { readonly user: string; readonly session?: string | undefined }): Promise<void>;

  /**
   * Whether a user is online, on which sessions, and since when: one edge answers for all, within a second or so.
   * @throws AskError `timeout`, `not-ready` (no edge is there); PublisherError `bad-option`; NameError `bad-user-id`; BrokerError.
   */
  online(user: string, options?: OnlineOptions): Promise<UserPresence>;
  /**
   * Who is in a topic, where its namespace keeps presence; elsewhere nobody is.
   * @throws AskError, PublisherError `bad-name`, `bad-option`; BrokerError.
   */
  presence(topic: string, options?: OnlineOptions): Promise<TopicPresence>;

  /**
   * Asks a user's clients, which answer by `client.serve(method, …)`. The question has its place among the user's events, over moves and
   * short absences. Resolves with the first answer; with `want: 'all'` with what each session has answered, a silent one as an error.
   * A client may be asked twice where a balancer or an edge dies.
   * @throws AskError with the client's code or the mesh's (`no-session`, `timeout`, …); PublisherError `bad-name`, `bad-option`,
   * `bad-body`; NameError `bad-user-id`; BrokerError.
   */
  ask<Name extends NameIn<Served>>(
    user: string,
    method: Name,
    data: QuestionOf<Served[Name]>,
    options: AskOptions & { want: 'all' },
  ): Promise<SessionAnswer<AnswerOf<Served[Name]>>[]>;
  ask<Name extends NameIn<Served>>(
    user: string,
    method: Name,
    data: QuestionOf<Served[Name]>,
    options?: AskOptions & { want?: 'first' },
  ): Promise<AnswerOf<Served[Name]>>;
  ask<Answer = unknown, Name extends string = string>(
    user: string,
    method: Unlisted<Served, Name>,
    data: unknown,
    options: AskOptions & { want: 'all' },
  ): Promise<SessionAnswer<Answer>[]>;
  ask<Answer = unknown, Name extends string = string>(
    user: string,
    method: Unlisted<Served, Name>,
    data?: unknown,
    options?: AskOptions & { want?: 'first' },
  ): Promise<Answer>;

  /**
   * Serves clients' requests whose method matches `method` (words; `*` one, `#` any). Each message is acknowledged when its
   * handler has finished and its reply is confirmed. At least once: a repeat of one of the last 1,000 is answered again, not
   * handled again, by the instance that handled it. Instances of one name share the work; a method that a service of another name
   * serves is refused. A publish to a topic of that name is not handled: see {@link on}.
   * @throws PublisherError `bad-name`, `bad-option`, `already-served`, `method-taken`, `queue-differs`; BrokerError.
   */
  serve<Payload = unknown>(
    method: Unmapped<Methods>,
    handler: InboundHandler<Payload>,
    options?: ServeOptions,
  ): Promise<Service>;
  serve<Name extends NameIn<Methods>>(
    method: Name,
    handler: HandlerOf<Methods[Name]>,
    options?: ServeOptions,
  ): Promise<Service>;

  /**
   * Handles what clients publish to topics that match `topic` (words; `*` one, `#` any), each message by one instance of
   * the service; services of other names get it too. At least once, as {@link serve}: a message whose handler fails is handled
   * again, three times in all. A request for a method of that name is not handled.
   * @throws PublisherError as {@link serve}, BrokerError.
   */
  on<Name extends NameIn<Topics>>(
    topic: Name,
    handler: InboundHandler<Got<Topics[Name]>>,
    options?: ServeOptions,
  ): Promise<Service>;
  on<Payload = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name>,
    handler: InboundHandler<Payload>,
    options?: ServeOptions,
  ): Promise<Service>;

  /**
   * Decides who may subscribe, publish or request what matches `pattern` (words of topics and methods; `*` one, `#` any), where the
   * rule of the namespace is `service`. Many questions are decided at once, at most `concurrency`; instances of one name share them. While
   * none is there, nobody may. A topic that is subscribed is asked about again when the answer's time is over: a `false` then ends it.
   * @throws PublisherError, BrokerError as {@link serve}.
   */
  authorize(pattern: string, handler: AuthorizeHandler, options?: AuthorizeOptions): Promise<Service>;

  /** What it does at this moment and has done since it was made: connections, events and clients' messages. For metrics. */
  figures(): PublisherFigures;

  /** True while it is connected to the broker; else why not, as one sentence. For a readiness probe. */
  readiness(): true | string;

  /**
   * Takes no more requests, waits for handlers and confirms, at most `closeTimeoutMs`, disconnects. What was not handled by then
   * goes back to its queue. Idempotent.
   */
  close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void>;
}
