/** What services get of clients and of edges, and how they take it. */

/**
 * What a client sent: a request to who serves the method, a publish to who listens to the topic.
 * @example
 * const greet = ({ user, session }: InboundMessage) => `Hello, ${user} in ${session}`;
 * await publisher.serve('shop.*', greet);
 */
export interface InboundMessage<Payload = unknown> {
  /** The method or topic. */
  readonly method: string;
  /** JSON as its value, text as a string, anything else as a `Uint8Array`. */
  readonly data: Payload;
  /** The JSON of `data` as it was sent, in which numbers are whole that JavaScript does not hold; undefined where it was none. */
  readonly json?: string;
  /** Id of the user, as the gateway checked it. */
  readonly user: string;
  readonly session: string;
  /** The same for every repeat; undefined where the sender set none. */
  readonly id: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /** W3C trace context that the client has sent. Where the application uses `@opentelemetry/api`, the handler runs in it. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /**
   * Aborted when the handler's time is over, or its client has cancelled an answer in parts: what it does from then on counts no more.
   */
  readonly signal: AbortSignal;
}

/**
 * Handles what a client sent. What it returns (or resolves with) to a request goes back: bytes as bytes, a {@link JsonText} as it is written, anything else as JSON.
 * When it throws a {@link ServiceError} the client gets its code and message; of anything else it gets `service-error`, "the
 * service failed", and the log gets the error. One that returns an async iterable (`async function*`) answers in parts, each as long after the
 * one before as `handlerTimeoutMs` says, at most 32 ahead of the client. A publish whose handler throws is tried again, see {@link ServeOptions.retryDelaysMs}.
 * @example
 * const log: InboundHandler<{ text: string }> = ({ user, data }) => console.log(user, data.text);
 * await publisher.on('room.42', log);
 */
export type InboundHandler<Payload = unknown> = (message: InboundMessage<Payload>) => unknown;

/**
 * What a user wants to do with a topic (`subscribe`, `publish`) or a method (`request`).
 * @example
 * const writes = (action: AuthorizeAction) => action !== 'subscribe';
 */
export type AuthorizeAction = 'subscribe' | 'publish' | 'request';

/**
 * What an edge asks about a namespace whose rule is `service`.
 * @example
 * await publisher.authorize('shop.#', ({ user, action }: AuthorizeQuestion) => user === 'alice' || action === 'subscribe');
 */
export interface AuthorizeQuestion {
  /** Id of the user, as the gateway checked it. */
  readonly user: string;
  readonly session: string;
  readonly action: AuthorizeAction;
  /** The topic or method. */
  readonly topic: string;
  /** Aborted when the handler's time is over: what it answers from then on counts no more. */
  readonly signal: AbortSignal;
}

/**
 * `true` or `false`, for a minute; with `ttlMs` for as long as that, 1 to 3,600,000. Edges ask again when it is over.
 * @example
 * const forAnHour: AuthorizeAnswer = { allow: true, ttlMs: 3_600_000 };
 * await publisher.authorize('shop.#', () => forAnHour);
 */
export type AuthorizeAnswer = boolean | { allow: boolean; ttlMs?: number | undefined };

/**
 * Says whether a user may. What it throws is logged, and the user may not; the edge asks again after a second.
 * @example
 * const decide: AuthorizeHandler = async ({ user, topic }) => topic.startsWith(`shop.${user}`);
 * await publisher.authorize('shop.#', decide);
 */
export type AuthorizeHandler = (question: AuthorizeQuestion) => AuthorizeAnswer | Promise<AuthorizeAnswer>;

/**
 * `handlerTimeoutMs` is 5,000 by default: edges wait no longer.
 * @example
 * const options: AuthorizeOptions = { handlerTimeoutMs: 2_000 };
 * await publisher.authorize('shop.#', () => true, options);
 */
export type AuthorizeOptions = Pick<ServeOptions, 'concurrency' | 'prefetch' | 'handlerTimeoutMs'>;

/**
 * What is handled one after another: see {@link ServeOptions.order}.
 * @example
 * const order: HandlingOrder = 'key'; // each room in order, whoever wrote
 * await publisher.on('room.42', ({ data }) => console.log(data.text), { order });
 */
export type HandlingOrder = 'session' | 'key' | 'none';

/**
 * How a method is served, or a topic listened to.
 * @example
 * const options: ServeOptions = { concurrency: 4, handlerTimeoutMs: 5_000 };
 * await publisher.serve('shop.price', () => 3, options);
 */
export interface ServeOptions {
  /**
   * Queue that the instances of this service share. Default `service.<publisher's name>.<method>` for requests,
   * `service.<publisher's name>.publish:<topic>` for publishes.
   */
  queue?: string;
  /**
   * How long the queue, and what clients have sent to it, is kept while no instance of the service runs, ms. Default 300,000;
   * `Infinity`: for ever; 0: it goes with its last instance, what waits is lost, and clients get `no-service` at once. All
   * instances give the same.
   */
  graceMs?: number;
  /** @deprecated Goes with 1.0. `true` is `graceMs: Infinity`. */
  durable?: boolean;
  /**
   * What is handled one after another, in the order in which it was sent: what comes from one session (the default), what is for
   * one topic or method, whoever sent it (`key`), or nothing. It holds within an instance: of several that share a queue each
   * handles what it gets.
   */
  order?: HandlingOrder;
  /** Handlers that run at once in this instance. Default 16. */
  concurrency?: number;
  /** Messages taken ahead by this instance, those being handled included. Default 256, or `concurrency` if that is more. */
  prefetch?: number;
  /** A handler that takes longer has failed. Default 30,000; `Infinity`: no limit. */
  handlerTimeoutMs?: number;
  /**
   * When a publish whose handler failed is handled again, ms after each failure; what comes after it in its order waits. Default
   * `[1000, 5000]`: three times in all, then it is dropped, and the log says so. Requests are not tried again: the client is told.
   */
  retryDelaysMs?: readonly number[];
  /** Outcomes remembered to answer repeats without handling them again, by this instance. Default 1,000, and 16 MiB of replies. */
  remember?: number;
}

/**
 * A method being served, or a topic being listened to.
 * @example
 * const service: Service = await publisher.serve('shop.price', () => 3);
 * await service.stop();
 */
export interface Service {
  /** Messages of the other kind that came and were not handled: a method and a topic of one name. */
  readonly ignored: number;
  /** Publishes that were dropped because their handler failed each time. */
  readonly dropped: number;
  /**
   * Takes no more, waits for the handlers that run, at most `closeTimeoutMs`, and gives back to the queue whatever was not handled
   * by then. Idempotent.
   */
  stop(): Promise<void>;
}
