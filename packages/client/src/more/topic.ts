import type { CallOptions, SendOptions } from '../calls/patience.js';
import { ClientError } from '../errors.js';
import { callEach, Handlers } from '../handlers.js';
import type { Part } from '../seams/part.js';
import type { Past, PastWanted, TopicHistory } from '../seams/past.js';
import type { Presence, PresenceNews, TopicPresence } from '../seams/present.js';
import { unheard } from '../seams/unheard.js';
import type { TopicWishes } from '../seams/wishes.js';
import type { Status } from '../status.js';
import type { Subscription } from '../topics/subscribe.js';
import type { MessageHandler, TopicMessage } from '../topics/topics.js';

/**
 * Messages of a topic may be missing before the next one.
 * @example
 * client.topic('room.42').on('gap', ({ topic, reason }: TopicGap) => console.log(topic, reason));
 */
export type TopicGap = Omit<Extract<Status, { type: 'gap' }>, 'type' | 'topic'> & { readonly topic: string };
/**
 * A topic has ended, or was not granted. `reason`: as of the status `unsubscribed`; `closed`, with the client; or the code of the
 * refusal, which `error` is.
 * @example
 * client.topic('room.42').on('left', ({ reason }: TopicLeft) => console.log(reason)); // forbidden, revoked, closed, …
 */
export interface TopicLeft {
  readonly topic: string;
  readonly reason: string;
  readonly error?: ClientError;
}
/**
 * What is told of a topic, by name.
 * @example
 * const onGap = (gap: TopicNews['gap']) => console.log(gap.reason);
 * client.topic('room.42').on('gap', onGap);
 */
export interface TopicNews<Data = unknown> {
  message: TopicMessage<Data>;
  gap: TopicGap;
  left: TopicLeft;
  presence: PresenceNews;
}

/** The client, as far as a topic needs it. */
export interface TopicClient {
  subscribe(
    topic: string,
    handler: MessageHandler,
    options: CallOptions & TopicWishes,
  ): Promise<Subscription>;
  publish(topic: string, data: unknown, options?: SendOptions): Promise<void>;
}

/** Who hears what the client tells. */
type Told = Pick<TopicHandle, 'tell'>;

/** What topics are made of. */
export interface TopicUses {
  readonly client: TopicClient;
  readonly presence: Presence;
  readonly past: Past;
}

/**
 * One topic: subscribed from the first handler of its messages or its presence on, until it is closed or has ended.
 * @example
 * const room: TopicHandle<{ text: string }> = client.topic('room.42', { last: 20 });
 * room.on('message', ({ data }) => console.log(data.text));
 * await room.publish({ text: 'ahoy' });
 */
export class TopicHandle<Data = unknown, Given = Data> {
  readonly topic: string;
  #wishes: TopicWishes;
  readonly #client: TopicClient;
  readonly #presence: Presence;
  readonly #past: Past;
  #watching: (() => void)[] = [];
  readonly #gaps = new Handlers<TopicGap>();
  readonly #lefts = new Handlers<TopicLeft>();
  /** What was asked for, each with its handler as long as that is to hear anything. */
  readonly #asked = new Map<Promise<Subscription>, { handler: MessageHandler | undefined }>();
  readonly #open: Set<Told>;

  constructor(topic: string, wishes: TopicWishes, uses: TopicUses, open: Set<Told>) {
    this.topic = topic;
    this.#wishes = wishes;
    this.#client = uses.client;
    this.#presence = uses.presence;
    this.#past = uses.past;
    this.#open = open;
  }

  /**
   * Handles what is told of the topic; returns the way to stop. The first handler of `message` subscribes; one that is refused learns of
   * it by `left`. `gap`: messages may be missing before the next one. After `left` nothing comes: open the topic anew. `presence`: who
   * is there, at once and after each change, where the namespace keeps that; it subscribes too.
   */
  on<Kind extends keyof TopicNews>(
    kind: Kind,
    handler: (news: TopicNews<Data>[Kind]) => unknown,
  ): () => void {
    this.#open.add(this);
    if (kind === 'gap') return this.#gaps.enter({ handler: handler as (gap: TopicGap) => unknown });
    if (kind === 'presence') return this.#watch(handler as (news: PresenceNews) => unknown);
    if (kind === 'left') return this.#lefts.enter({ handler: handler as (left: TopicLeft) => unknown });
    return this.#subscribe(handler as MessageHandler);
  }

  /** Resolves when every later message is sure to come. Without a handler of `message` at once. @throws ClientError as `subscribe`. */
  async ready(): Promise<void> {
    await Promise.all(this.#asked.keys());
  }

  /** As `publish` of the client, to this topic. */
  publish(data: Given, options?: SendOptions): Promise<void> {
    return this.#client.publish(this.topic, data, options);
  }

  /** Who is there now; it need not be subscribed. @throws ClientError with the mesh's code, such as `no-presence`. */
  presence(): Promise<TopicPresence> {
    return this.#presence.ask(this.topic);
  }

  /**
   * What the topic has kept: what came behind the position `since`, or the `last` ones; else everything. It need not be subscribed, and
   * handlers hear nothing of it. @throws ClientError with the mesh's code: `no-history`, `history-lost` (some of what came since then is
   * gone), `forbidden`, …
   * @example const { messages, position } = await client.topic('room.42').history({ last: 50 });
   */
  history(wanted: PastWanted = {}, options: SendOptions = {}): Promise<TopicHistory<Data>> {
    return this.#past.read(this.topic, wanted, options) as Promise<TopicHistory<Data>>;
  }

  /** Ends what this handle has begun; no handler hears anything more. Resolves as `unsubscribe` of a subscription. */
  async close(): Promise<void> {
    this.#open.delete(this);
    this.#gaps.end();
    this.#lefts.end();
    for (const leave of this.#watching.splice(0)) leave();
    const asked = [...this.#asked.keys()];
    for (const heard of this.#asked.values()) heard.handler = undefined;
    this.#asked.clear();
    await Promise.all(asked.map(end));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  tell(status: Status): void {
    if (status.type === 'gap' && status.topic === this.topic) {
      const { topic, reason } = status;
      callEach(this.#gaps.all, { topic, reason }, rethrow);
    } else if (status.type === 'unsubscribed' && status.topic === this.topic) this.#left(status.reason);
    else if (status.type === 'closed') this.#left('closed', status.error);
  }

  #watch(handler: (news: PresenceNews) => unknown): () => void {
    this.#wishes = { ...this.#wishes, presence: true };
    const leave = this.#presence.observe(this.topic, handler);
    this.#watching.push(leave);
    const { since: _, last: __, ...wishes } = this.#wishes;
    const stop = this.#subscribe(unheard, wishes);
    return () => {
      leave();
      stop();
    };
  }

  #subscribe(handler: MessageHandler, wishes = this.#wishes): () => void {
    const { topic } = this;
    const heard: { handler: MessageHandler | undefined } = { handler };
    // By `hello` messages may come before the answer that a subscription can be ended by.
    const hand: MessageHandler = handler === unheard ? unheard : (message) => heard.handler?.(message);
    const asked = this.#client.subscribe(topic, hand, {
      ...wishes,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    this.#asked.set(asked, heard);
    asked.catch((error: unknown) => {
      if (this.#asked.has(asked)) this.#left(error instanceof ClientError ? error.code : 'refused', error);
    });
    return () => {
      heard.handler = undefined;
      this.#asked.delete(asked);
      void end(asked);
    };
  }

  #left(reason: string, error?: unknown): void {
    const { topic } = this;
    const left = { topic, reason, ...(error instanceof ClientError && { error }) };
    callEach(this.#lefts.all, left, rethrow);
    void this.close();
  }
}

/** Ends a subscription, or one that is still asked for. */
const end = (asked: Promise<Subscription>): Promise<void> =>
  asked.then(
    (subscription) => subscription.unsubscribe(),
    () => {},
  );

// A listener's fault must neither stop the connection nor be swallowed.
const rethrow = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });

/** Handles of topics: they hear of what the client tells of theirs. */
export class TopicHandles implements Part {
  readonly #open = new Set<Told>();

  open<Data>(topic: string, wishes: TopicWishes, uses: TopicUses): TopicHandle<Data> {
    return new TopicHandle<Data>(topic, wishes, uses, this.#open);
  }

  status(status: Status): undefined {
    for (const handle of [...this.#open]) handle.tell(status);
  }
}
