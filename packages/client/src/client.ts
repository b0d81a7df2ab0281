import type { Got, Sent, Unlisted } from '@evenkeel/protocol/wire';
import { type CallOptions, patience, type SendOptions } from './calls/patience.js';
import { checkEventName, checkName, checkOptions } from './check.js';
import { ClientError } from './errors.js';
import type { ClientEvent, EventHandler } from './events/event.js';
import type { ConnectOptions } from './options.js';
import { isShown, onPage } from './page.js';
import { type ClientState, Connection } from './session/connection.js';
import { SessionStore, tabStorage } from './session/session-store.js';
import type { Status } from './status.js';
import { timerMs } from './time.js';
import { type Subscription, subscribe } from './topics/subscribe.js';
import type { MessageHandler } from './topics/topics.js';

/**
 * Event names and the types of their `data`, where nothing is said.
 * @example
 * const any: Client<EventMap> = connect({ gateway, user });
 */
export type EventMap = Record<string, unknown>;
/**
 * Of names of topics or methods, where nothing is said: each call says what it expects.
 * @example
 * const any: Client<EventMap, NoMap, NoMap> = connect({ gateway, user });
 */
export type NoMap = Record<never, never>;
/**
 * Of a method in a map of requests.
 * @example
 * type Asked = DataOf<Mesh['requests']['shop.price']>; // { item: string }
 */
export type DataOf<Call> = Call extends { data: infer Data } ? Data : undefined;
/**
 * Of a method in a map of requests: what it answers.
 * @example
 * type Price = ReplyOf<Mesh['requests']['shop.price']>; // number
 */
export type ReplyOf<Call> = Call extends { reply: infer Reply } ? Reply : unknown;

/**
 * One session, seen as one connection that lives on. Directed events reach the handlers once and in the order of
 * publishing, across moves, reconnects and crashes of edges; where that could not be kept a `gap` is told.
 */
export class Client<
  Events extends object = EventMap,
  Topics extends object = NoMap,
  Requests extends object = NoMap,
> {
  readonly #connection: Connection;
  /**
   * @param Of - Class of what has the session's sockets: the client's own, for a client that can more than this one.
   * @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name` or `topic-limit` (topics), `no-websocket`.
   */
  constructor(
    options: ConnectOptions,
    Of: new (options: ConnectOptions, saved: object) => object = Connection,
  ) {
    checkOptions(options);
    const { topics = [] } = options;
    const storage =
      options.storage === false || options.session ? undefined : (options.storage ?? tabStorage());
    const over = new AbortController();
    const { signal } = over;
    const store = new SessionStore(
      storage,
      `${options.gateway ?? ''} ${options.user ?? ''}`,
      () => {
        this.#connection.leave();
        return this.#connection;
      },
      (taken) => this.#connection.back(taken),
    );
    const { session, resume } = options;
    this.#connection = new Of(options, session ? { session, resume } : store.open(signal)) as Connection;
    this.#connection.isOfTab = !!storage;
    for (const topic of topics) this.#connection.topicTable.add(topic);
    // The latter reaches the window too.
    for (const type of ['online', 'visibilitychange'])
      onPage(type, () => isShown() && this.#connection.wake(), signal);
    onPage('offline', () => this.#connection.probe(), signal);
    this.#connection.statusFeed.listen(({ type }) => {
      if (type === 'closed') {
        over.abort();
        store.close();
      }
      if (type === 'connected') store.settle();
    });
    queueMicrotask(() => this.#connection.start());
  }

  /** `connecting`, `connected` or `closed`; a move happens inside `connected`. */
  get state(): ClientState {
    return this.#connection.state;
  }
  /** The session id, once known. */
  get session(): string | undefined {
    return this.#connection.session;
  }
  /** Proves that the session is this user's; to be given with {@link session}. Not from gateways in development mode. */
  get resume(): string | undefined {
    return this.#connection.resume;
  }
  /** The node that holds the session, once known. */
  get node(): string | undefined {
    return this.#connection.node;
  }

  /**
   * Resolves when connected (at once if it is). Waits for ever unless `timeoutMs` or `signal` say otherwise; the client goes on trying.
   * @throws ClientError `timeout`, with what failed last, `aborted`, or why it was closed before that.
   */
  ready(options: CallOptions = {}): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      if (this.state === 'connected') return resolve();
      this.#checkOpen();
      const { statusFeed: status } = this.#connection;
      const settle = (error?: ClientError): void => {
        stopWaiting();
        stop();
        if (error) reject(error);
        else resolve();
      };
      const stopWaiting = patience('ready()', options, settle, () => {
        const { reason = 'nothing has answered yet', cause } = status.failed ?? {};
        return new ClientError('timeout', `not connected within ${options.timeoutMs} ms: ${reason}`, cause);
      });
      const stop = status.listen(({ type }) => {
        if (type === 'connected' || type === 'closed') settle(this.#connection.endedBy);
      });
    });
  }

  /**
   * Handles the directed events of this name (`*`: all). Events are handed on one after another: the next waits until
   * everything the handlers returned has settled (or 30 s have passed). A handler that throws is reported as
   * `handler-error` and the event counts as handled. Each call is a registration of its own; returns the way to end it.
   *
   * An event that has no handler waits for one up to 30 s, and what comes after it waits too; then `unhandled` is told, and the
   * event counts as handled. A handler may wait for another event: one that comes under a name for which a handler was registered
   * since the running handler began is handed on meanwhile, and before it whatever came earlier.
   * @throws ClientError `bad-name` for a name that no event can have: names are whole, there are no patterns.
   */
  on<Name extends keyof Events & string>(name: Name, handler: EventHandler<Events[Name]>): () => void;
  on(name: '*', handler: EventHandler): () => void;
  on(name: string, handler: (event: ClientEvent<never>) => unknown): () => void {
    checkEventName(name);
    return this.#connection.eventQueue.on(name, handler as EventHandler);
  }

  /** @deprecated since 0.1, goes with 1.0: `on('*', handler)` is the same. */
  onEvent(handler: EventHandler): () => void {
    return this.on('*', handler);
  }

  /**
   * Subscribes a topic. Resolves when every later message is sure to come, over moves too. After an unplanned loss the
   * topic is subscribed again and a `gap` is told. Each call makes a subscriber of its own, also with a function that another
   * call has given; the edge is asked once a topic.
   * @throws ClientError `bad-name`, `topic-limit`, `closed`, …
   */
  subscribe<Name extends keyof Topics & string>(
    topic: Name,
    handler: MessageHandler<Got<Topics[Name]>>,
    options?: CallOptions,
  ): Promise<Subscription>;
  subscribe<Data = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name>,
    handler: MessageHandler<Data>,
    options?: CallOptions,
  ): Promise<Subscription>;
  async subscribe(
    topic: string,
    handler: MessageHandler<never>,
    options: CallOptions = {},
  ): Promise<Subscription> {
    checkName(topic);
    this.#checkOpen();
    return subscribe(this.#connection, topic, handler as MessageHandler, options);
  }

  /**
   * Handles the messages of all topics, also of those in `topics` of the options. Returns the way to stop.
   * @deprecated since 0.1, goes with 1.0: give `subscribe` the handler.
   */
  onMessage(handler: MessageHandler): () => void {
    return this.#connection.topicTable.onMessage(handler);
  }

  /**
   * Publishes to `topic` for application services. Resolves when the broker has confirmed. Sent again, with the same
   * identity, after a loss: at least once, exactly once over planned moves.
   * @throws ClientError `no-service`, `timeout`, `too-large`, `too-many-pending`, `closed`, …
   */
  publish<Name extends keyof Topics & string>(
    topic: Name,
    data: Sent<Topics[Name]>,
    options?: SendOptions,
  ): Promise<void>;
  publish<Name extends string>(
    topic: Unlisted<Topics, Name>,
    data: unknown,
    options?: SendOptions,
  ): Promise<void>;
  async publish(topic: string, data: unknown, options: SendOptions = {}): Promise<void> {
    checkName(topic);
    await this.#call('publish', topic, data, options);
  }

  /** Asks an application service. @throws ClientError as `publish`, or with the code the service answered. */
  request<Name extends keyof Requests & string>(
    method: Name,
    data: DataOf<Requests[Name]>,
    options?: SendOptions,
  ): Promise<ReplyOf<Requests[Name]>>;
  request<Reply = unknown, Name extends string = string>(
    method: Unlisted<Requests, Name>,
    data?: unknown,
    options?: SendOptions,
  ): Promise<Reply>;
  async request(method: string, data?: unknown, options: SendOptions = {}): Promise<unknown> {
    checkName(method);
    return await this.#call('request', method, data, options);
  }

  /**
   * Calls `listener` with every status from now on. Returns the way to stop. While there is none, the first of `handler-error`,
   * `bad-data`, `duplicate-id` and `unhandled` each, and a `closed` with an error, are printed on the console.
   */
  onStatus(listener: (status: Status) => void): () => void {
    return this.#connection.statusFeed.listen(listener, true);
  }

  /**
   * Statuses from the newest on, to the end. A slow reader misses the oldest of more than 256.
   * @deprecated since 0.1, goes with 1.0: use {@link onStatus}.
   */
  status(): AsyncGenerator<Status, void, undefined> {
    return this.#connection.statusFeed.read();
  }

  /** @deprecated since 0.1, goes with 1.0: `close({ drainMs })` is the same. */
  drain(timeoutMs = 10_000): Promise<void> {
    return this.close({ drainMs: timeoutMs });
  }

  /**
   * Acknowledges what is handled and closes; open calls are rejected. With `drainMs` it waits first, so long at most, until every
   * event that has come is handled and every call answered. A running handler it awaits for 2 s. The event whose handler calls this
   * counts as handled; a handler does so before it awaits anything, else it waits these 2 s for itself.
   *
   * The session stays for its lifetime (5 min), with the events that come meanwhile: `connect` with {@link session} and {@link resume} goes on in it.
   * To end it, see {@link end}.
   */
  async close({ drainMs = 0 }: { drainMs?: number | undefined } = {}): Promise<void> {
    const { eventQueue: events, calls } = this.#connection;
    events.letGo();
    if (drainMs > 0) {
      const limitMs = timerMs(drainMs);
      await Promise.all([events.idle(limitMs), calls.idle(limitMs)]);
    }
    await this.#connection.close();
  }

  /**
   * Ends the session for good, as when somebody logs out, and closes. No further event reaches a handler; what has not been
   * handled goes to the application (`mesh.undelivered`), and whoever publishes for this user learns that nobody is there. False:
   * no edge could be asked within 5 s, so that the session ends with its lifetime. In a handler it is as {@link close} is.
   */
  end(): Promise<boolean> {
    this.#connection.eventQueue.letGo();
    return this.#connection.bye();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call(kind: Parameters<Connection['calls']['open']>[0], name: string, data: unknown, options: SendOptions) {
    this.#checkOpen();
    const answer = this.#connection.calls.open(kind, name, data, options);
    this.#connection.flushNow();
    return answer;
  }

  #checkOpen(): void {
    const { endedBy } = this.#connection;
    if (endedBy) throw new ClientError('closed', `closed: ${endedBy.message}; connect anew`, endedBy);
  }
}
