import type {
  EventsOf,
  Got,
  RequestsOf,
  Sent,
  ServedOf,
  StreamsOf,
  TopicsOf,
  Unlisted,
} from '@evenkeel/protocol/wire';
import type { CallOptions, SendOptions } from '../calls/patience.js';
import { checkName } from '../check.js';
import { Client as CoreClient, type DataOf, type EventMap, type ReplyOf } from '../client.js';
import type { ClientEvent, EventHandler } from '../events/event.js';
import { Beginnings } from '../more/beginnings.js';
import { Checking } from '../more/checking.js';
import { HistoryPositions } from '../more/history.js';
import { OfflinePublishes } from '../more/offline.js';
import { PastReadings } from '../more/past.js';
import { checkSubscribable, Patterns } from '../more/patterns.js';
import { Placements } from '../more/placed.js';
import { Presences } from '../more/presence.js';
import { type AskHandler, Serving } from '../more/serving.js';
import { type ClientStream, Streams } from '../more/streams.js';
import { type TopicHandle, TopicHandles } from '../more/topic.js';
import { PartedConnection } from '../seams/connection.js';
import type { Past } from '../seams/past.js';
import type { TopicPresence } from '../seams/present.js';
import { unheard } from '../seams/unheard.js';
import type { TopicWishes } from '../seams/wishes.js';
import { type Subscription, subscribe } from '../topics/subscribe.js';
import type { MessageHandler } from '../topics/topics.js';
import { type ConnectOptions, coreOptions, patternsIn } from './options.js';
import type { AnyPattern, DataByPattern } from './types.js';

/**
 * Of a method in a map of streams.
 * @example
 * type Word = PartOf<Mesh['streams']['assistant.ask']>; // string
 */
export type PartOf<Method> = Method extends { part: infer Part } ? Part : unknown;

/** Every part that there is, by name. One that is added here is asked behind those before it. */
const partsOf = (connection: PartedConnection, options: ConnectOptions) => ({
  // First: not every message is of a subscription.
  past: new PastReadings(connection),
  // Before others that hear of messages: its handlers are those of the topics.
  patterns: new Patterns(connection, options.topicMemory),
  topics: new TopicHandles(),
  presence: new Presences(connection, options.info),
  placed: new Placements(connection),
  beginnings: new Beginnings(connection),
  history: new HistoryPositions(connection),
  streams: new Streams(connection),
  serving: new Serving(connection),
});

/**
 * The client with everything that a mesh offers; see the core's `Client` for what stands in both.
 * @example
 * const alice: Client = connect({ gateway, user: 'alice' });
 * alice.on('order.created', ({ data }) => console.log(data));
 * await alice.ready({ timeoutMs: 10_000 });
 * await alice.close();
 */
export class Client<
  Map extends object = EventMap,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
  Served extends object = ServedOf<Map>,
  Streams extends object = StreamsOf<Map>,
> extends CoreClient<EventsOf<Map>, Topics, Requests> {
  readonly #connection: PartedConnection;
  readonly #parts: ReturnType<typeof partsOf>;
  readonly #offline: OfflinePublishes;
  readonly #checking: Checking;
  readonly #past: Past;

  /** @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name` or `topic-limit` (topics), `no-websocket`. */
  constructor(options: ConnectOptions) {
    const given = coreOptions(options);
    super(given, PartedConnection);
    this.#connection = PartedConnection.of(given);
    this.#offline = new OfflinePublishes(options.offline);
    this.#checking = new Checking(options.mesh, this.#connection.statusFeed);
    this.#parts = partsOf(this.#connection, options);
    this.#past = this.#checking.past(this.#parts.past);
    this.#connection.parts = Object.values(this.#parts);
    for (const topic of patternsIn(options)) this.#connection.topicTable.add(topic);
  }

  /**
   * A topic, with what happens to it, and what can be done there. It is subscribed from its first handler of messages on. Or a pattern,
   * `prices.*`: its handlers get the messages of every topic that matches, with its name in `topic`.
   * @throws ClientError `bad-name`
   */
  topic<Name extends keyof Topics & string>(
    topic: Name,
    wishes?: TopicWishes,
  ): TopicHandle<Got<Topics[Name]>, Sent<Topics[Name]>>;
  topic<Pattern extends AnyPattern>(
    pattern: Pattern,
    wishes?: TopicWishes,
  ): TopicHandle<DataByPattern<Topics, Pattern>>;
  topic<Data = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name>,
    wishes?: TopicWishes,
  ): TopicHandle<Data>;
  topic(topic: string, wishes: TopicWishes = {}): TopicHandle {
    checkSubscribable(topic);
    const { topics, presence } = this.#parts;
    return topics.open(topic, wishes, { client: this as never, presence, past: this.#past });
  }

  /** Who is in a topic now; it need not be subscribed. @throws ClientError with the mesh's code, such as `no-presence`. */
  presence(topic: string, options: SendOptions = {}): Promise<TopicPresence> {
    checkName(topic);
    return this.#parts.presence.ask(topic, options);
  }

  /**
   * Asks a service that answers in parts: `for await (const part of client.stream('assistant.ask', …))`. Leaving the loop cancels.
   * Each part may take `timeoutMs`. From the first one on the time without a connection, or with an event being handled, does not count.
   */
  stream<Name extends keyof Streams & string>(
    method: Name,
    data: DataOf<Streams[Name]>,
    options?: SendOptions,
  ): ClientStream<PartOf<Streams[Name]>>;
  stream<Part = unknown, Name extends string = string>(
    method: Unlisted<Streams, Name>,
    data?: unknown,
    options?: SendOptions,
  ): ClientStream<Part>;
  stream(method: string, data?: unknown, options: SendOptions = {}): ClientStream {
    checkName(method);
    const of = (part: 'data' | 'part' | 'reply') => ({ kind: 'requests' as const, name: method, part });
    return this.#parts.streams.open(method, data, options, {
      given: this.#checking.given(of('data'), data),
      part: (value) => this.#checking.answered(of('part'), value),
      reply: (value) => this.#checking.answered(of('reply'), value),
    });
  }

  /** Answers in parts that an earlier page of this session has asked for, as far as more of them has come. */
  streams(): ClientStream[] {
    return this.#parts.streams.unclaimed;
  }

  /**
   * Answers what services ask this user's clients by `method`: what `handler` returns or resolves with. It is called once for each
   * question, in order with nothing else; a reload forgets which there were. Who throws `AnswerError` answers with its code. A question
   * for a method that is not served is answered `no-handler`: serve before the next turn of the event loop after `connect()`. Returns the
   * way to end it.
   * @throws ClientError `bad-name`, `bad-option`, `already-served`
   */
  serve<Name extends keyof Served & string>(
    method: Name,
    handler: AskHandler<DataOf<Served[Name]>, ReplyOf<Served[Name]>>,
  ): () => void;
  serve<Data = unknown, Answer = unknown, Name extends string = string>(
    method: Unlisted<Served, Name>,
    handler: AskHandler<Data, Answer>,
  ): () => void;
  serve(method: string, handler: AskHandler<never, unknown>): () => void {
    return this.#parts.serving.serve(method, this.#checking.asked(method, handler));
  }

  /** As of the core; with `mesh` in the options a handler gets what is as defined, the rest is told as `bad-data`. */
  override on<Name extends keyof EventsOf<Map> & string>(
    name: Name,
    handler: EventHandler<EventsOf<Map>[Name]>,
  ): () => void;
  override on(name: '*', handler: EventHandler): () => void;
  override on(name: string, handler: (event: ClientEvent<never>) => unknown): () => void {
    return super.on(name as '*', this.#checking.handing(handler) as EventHandler);
  }

  /** @deprecated since 0.1, goes with 1.0: give `subscribe` the handler. */
  override onMessage(handler: MessageHandler): () => void {
    return super.onMessage(this.#checking.handing(handler));
  }

  /** @internal As `onStatus`; but it is not the application's listener: what nobody else listens for is printed all the same. */
  onState(changed: () => void): () => void {
    return this.#connection.statusFeed.listen(changed);
  }

  /** As of the core; with `mesh` in the options both sides are checked. @throws ClientError also `bad-data` */
  override request<Name extends keyof Requests & string>(
    method: Name,
    data: DataOf<Requests[Name]>,
    options?: SendOptions,
  ): Promise<ReplyOf<Requests[Name]>>;
  override request<Reply = unknown, Name extends string = string>(
    method: Unlisted<Requests, Name>,
    data?: unknown,
    options?: SendOptions,
  ): Promise<Reply>;
  override async request(method: string, data?: unknown, options: SendOptions = {}): Promise<unknown> {
    const of = (part: 'data' | 'reply') => ({ kind: 'requests' as const, name: method, part });
    const given = this.#checking.given(of('data'), data);
    if (given) await given;
    return this.#checking.answered(of('reply'), await super.request(method as never, data, options));
  }

  /** As of the core; with the option `offline` it waits for a connection. @throws ClientError also `offline-full` */
  override publish<Name extends keyof Topics & string>(
    topic: Name,
    data: Sent<Topics[Name]>,
    options?: SendOptions,
  ): Promise<void>;
  override publish<Name extends string>(
    topic: Unlisted<Topics, Name>,
    data: unknown,
    options?: SendOptions,
  ): Promise<void>;
  override async publish(topic: string, data: unknown, options: SendOptions = {}): Promise<void> {
    const given = this.#checking.given({ kind: 'topics', name: topic }, data);
    if (given) await given;
    await this.#offline.send(this.state === 'connected', options, (sending) =>
      super.publish(topic as never, data, sending),
    );
  }

  /**
   * As of the core; `options` also say what is wanted beside later messages: `last` and `since` of the first who hears the topic's. A
   * pattern, in which `*` is one word of a topic and `#` any number of them, subscribes all topics that match. A message that several
   * subscriptions match comes to the handlers of each, and once to a function that several have.
   */
  override subscribe<Name extends keyof Topics & string>(
    topic: Name,
    handler: MessageHandler<Got<Topics[Name]>>,
    options?: CallOptions & TopicWishes,
  ): Promise<Subscription>;
  override subscribe<Pattern extends AnyPattern>(
    pattern: Pattern,
    handler: MessageHandler<DataByPattern<Topics, Pattern>>,
    options?: CallOptions & TopicWishes,
  ): Promise<Subscription>;
  override subscribe<Data = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name>,
    handler: MessageHandler<Data>,
    options?: CallOptions & TopicWishes,
  ): Promise<Subscription>;
  override async subscribe(
    topic: string,
    handler: MessageHandler<never>,
    options: CallOptions & TopicWishes = {},
  ): Promise<Subscription> {
    const { timeoutMs, signal, ...wishes } = options;
    checkSubscribable(topic);
    this.#connection.checkOpen();
    this.#connection.wish(topic, wishes);
    const enter = (standIn: MessageHandler): Promise<Subscription> =>
      subscribe(this.#connection, topic, standIn, { timeoutMs, signal });
    if (handler === unheard) return enter(unheard);
    const { beginnings, patterns } = this.#parts;
    const standIn = (): void => {};
    return beginnings.subscribe({
      topic,
      wishes,
      options: { timeoutMs, signal },
      enter: () => enter(standIn),
      hear: () => patterns.hear(standIn, this.#checking.handing(handler as MessageHandler)),
    });
  }
}
