import { monotonicNow } from '@evenkeel/pace';
import { type CallOptions, patience } from './calls/patience.js';
import { checkEventName, checkName, checkOptions } from './check.js';
import { ClientError } from './errors.js';
import type { ClientEvent, EventHandler } from './events/event.js';
import type { ConnectOptions } from './options.js';
import { type ClientState, Connection } from './session/connection.js';
import { SessionStore, tabStorage } from './session/session-store.js';
import type { Status } from './status.js';
import { timerMs } from './time.js';
import { type Subscription, subscribe } from './topics/subscribe.js';
import type { MessageHandler } from './topics/topics.js';

/** Event names and the types of their `data`. */
export type EventMap = Record<string, unknown>;

interface Page {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/**
 * One session, seen as one connection that lives on. Directed events reach the handlers once and in the order of
 * publishing, across moves, reconnects and crashes of edges; where that could not be kept a `gap` is told.
 */
export class Client<Events extends EventMap = EventMap> {
  readonly #connection: Connection;
  readonly #store: SessionStore;
  readonly #onWake = (): void => {
    if (typeof document === 'undefined' || document.visibilityState === 'visible') this.#connection.wake();
  };

  readonly #onOffline = (): void => this.#connection.probe();

  /** @throws ClientError for what can never work: `bad-option`, `bad-user-id`, `bad-name` or `topic-limit` (topics), `no-websocket`. */
  constructor(options: ConnectOptions) {
    checkOptions(options);
    const { topics = [] } = options;
    const storage =
      options.storage === false || options.session ? undefined : (options.storage ?? tabStorage());
    this.#store = new SessionStore(
      storage,
      `${options.gateway ?? ''} ${options.user ?? ''}`,
      () => {
        const { session, from } = this.#connection;
        this.#connection.leave();
        return { ...(session && { session }), from };
      },
      (taken) => this.#connection.back(taken),
    );
    const saved = this.#store.open();
    this.#connection = new Connection(options, options.session ?? saved.session, saved.from ?? []);
    this.#connection.isOfTab = !!storage;
    for (const topic of topics) this.#connection.topics.add(topic);
    const page = globalThis as Page;
    page.addEventListener?.('online', this.#onWake);
    page.addEventListener?.('offline', this.#onOffline);
    if (typeof document !== 'undefined') document.addEventListener('visibilitychange', this.#onWake);
    this.#connection.status.listen(({ type }) => {
      if (type === 'closed') this.#release();
      if (type === 'connected') this.#store.settle();
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
  /** The node that holds the session, once known. */
  get node(): string | undefined {
    return this.#connection.node;
  }

  /**
   * Resolves when connected (at once if it is). Waits for ever unless `timeoutMs` or `signal` say otherwise; the client goes on trying.
   * @throws ClientError `timeout`, with what failed last, `aborted`, or why it was closed before that.
   */
  async ready({ timeoutMs, signal }: CallOptions = {}): Promise<void> {
    if (this.state === 'connected') return;
    this.#checkOpen();
    const { status } = this.#connection;
    let stop = (): void => {};
    let stopWaiting = stop;
    try {
      await new Promise<void>((resolve, reject) => {
        stop = status.listen((told) => {
          if (told.type === 'connected') resolve();
          else if (told.type === 'closed')
            reject(told.error ?? new ClientError('closed', 'the client was closed'));
        });
        stopWaiting = patience('ready()', { timeoutMs, signal }, reject, () => {
          const { failed } = status;
          const why = failed ? failed.reason : 'nothing has answered yet';
          return new ClientError('timeout', `not connected within ${timeoutMs} ms: ${why}`, failed?.cause);
        });
      });
    } finally {
      stop();
      stopWaiting();
    }
  }

  /**
   * Handles the directed events of this name (`*`: all). Events are handed on one after another: the next waits until
   * everything the handlers returned has settled (or 30 s have passed). A handler that throws is reported as
   * `handler-error`, on the console where nobody listens by {@link onStatus}, and the event counts as handled. Returns the
   * way to stop.
   * @throws ClientError `bad-name` for a pattern: there is none but `*`.
   */
  on<Name extends keyof Events & string>(name: Name, handler: EventHandler<Events[Name]>): () => void;
  on(name: '*', handler: EventHandler): () => void;
  on(name: string, handler: (event: ClientEvent<never>) => unknown): () => void {
    checkEventName(name);
    return this.#connection.events.on(name, handler as EventHandler);
  }

  /** Handles every directed event; see {@link on}. */
  onEvent(handler: EventHandler): () => void {
    return this.#connection.events.on('*', handler);
  }

  /**
   * Subscribes a topic. Resolves when every later message is sure to come, over moves too. After an unplanned loss the
   * topic is subscribed again and a `gap` is told. Each call makes a subscriber of its own, also with a function that another
   * call has given; the edge is asked once a topic.
   * @throws ClientError `bad-name`, `topic-limit`, `closed`, …
   */
  async subscribe<Data = unknown>(
    topic: string,
    handler: MessageHandler<Data>,
    options: CallOptions = {},
  ): Promise<Subscription> {
    checkName(topic);
    this.#checkOpen();
    return subscribe(this.#connection, topic, handler as MessageHandler, options);
  }

  /** Handles the messages of all topics, also of those in `topics` of the options. Returns the way to stop. */
  onMessage(handler: MessageHandler): () => void {
    return this.#connection.topics.onMessage(handler);
  }

  /**
   * Publishes to `topic` for application services. Resolves when the broker has confirmed. Sent again, with the same
   * identity, after a loss: at least once, exactly once over planned moves.
   * @throws ClientError `no-service`, `timeout`, `too-large`, `too-many-pending`, `closed`, …
   */
  async publish(topic: string, data: unknown, options: CallOptions = {}): Promise<void> {
    checkName(topic);
    await this.#call('publish', topic, data, options);
  }

  /** Asks an application service. @throws ClientError as `publish`, or with the code the service answered. */
  async request<Reply = unknown>(method: string, data?: unknown, options: CallOptions = {}): Promise<Reply> {
    checkName(method);
    return (await this.#call('request', method, data, options)) as Reply;
  }

  /** Calls `listener` with every status from now on. Returns the way to stop. */
  onStatus(listener: (status: Status) => void): () => void {
    return this.#connection.status.listen(listener);
  }

  /** Statuses from the newest on, to the end. A slow reader misses the oldest of more than 256. */
  status(): AsyncGenerator<Status, void, undefined> {
    return this.#connection.status.read();
  }

  /** Waits until every event that has come is handled and every call answered (at most `timeoutMs`), then closes. */
  async drain(timeoutMs = 10_000): Promise<void> {
    const { events, calls } = this.#connection;
    const limitMs = timerMs(timeoutMs);
    const untilMs = monotonicNow() + limitMs;
    await Promise.all([events.idle(limitMs), calls.idle(limitMs)]);
    await events.idle(Math.max(0, untilMs - monotonicNow()));
    await this.close();
  }

  /**
   * Acknowledges what is handled and closes; open calls are rejected. Waits for a running handler at most 2 s. The session stays for
   * its lifetime (5 min), with the events that come meanwhile: `connect` with {@link session} goes on in it. To end it, see {@link end}.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /**
   * Ends the session for good, as when somebody logs out, and closes. No further event reaches a handler; what has not been
   * handled goes to the application (`mesh.undelivered`), and whoever publishes for this user learns that nobody is there. False:
   * no edge could be asked within 5 s, so that the session ends with its lifetime.
   */
  end(): Promise<boolean> {
    return this.#connection.bye();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #call(kind: Parameters<Connection['calls']['open']>[0], name: string, data: unknown, options: CallOptions) {
    this.#checkOpen();
    const answer = this.#connection.calls.open(kind, name, data, options);
    this.#connection.flush();
    return answer;
  }

  #checkOpen(): void {
    if (this.state === 'closed') throw new ClientError('closed', 'the client is closed; connect anew');
  }

  #release(): void {
    this.#store.close();
    const page = globalThis as Page;
    page.removeEventListener?.('online', this.#onWake);
    page.removeEventListener?.('offline', this.#onOffline);
    if (typeof document !== 'undefined') document.removeEventListener('visibilitychange', this.#onWake);
  }
}
