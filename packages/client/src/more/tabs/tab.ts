import type { EventsOf, Got, RequestsOf, Sent, TopicsOf, Unlisted } from '@evenkeel/protocol/wire';
import type { SendOptions } from '../../calls/patience.js';
import { checkEventName, checkName } from '../../check.js';
import type { DataOf, ReplyOf } from '../../client.js';
import { ClientError } from '../../errors.js';
import type { ClientEvent, EventHandler } from '../../events/event.js';
import { callEach, Handlers } from '../../handlers.js';
import type { TopicWishes } from '../../seams/wishes.js';
import type { Status } from '../../status.js';
import type { Subscription } from '../../topics/subscribe.js';
import type { MessageHandler, TopicMessage } from '../../topics/topics.js';
import { checkSubscribable } from '../patterns.js';
import type { FromTab, KeptSession, Port, TabSettings, ToTab } from './messages.js';

/** How a tab speaks to its worker. */
export interface TabUses {
  readonly port: Port;
  readonly settings: TabSettings;
  readonly getToken: (() => string | Promise<string>) | undefined;
  readonly lastSession: KeptSession | undefined;
  /** Of the tab, held as long as it lives, where there are locks. */
  readonly lock: Promise<string> | undefined;
  keep(lastSession: KeptSession): void;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: ClientError): void;
}

/**
 * A client that a tab shares with others: one connection for all of them. What a tab listens to and subscribes is its own, and ends with
 * it. Events are acknowledged when every tab that got them has handled them.
 * @example
 * const shared: TabClient<Mesh> = connectTabs<Mesh>({ gateway, user: 'alice', worker });
 * shared.on('order.created', ({ data }) => console.log(data.number));
 */
export class TabClient<
  Map extends object = Record<string, unknown>,
  Topics extends object = TopicsOf<Map>,
  Requests extends object = RequestsOf<Map>,
> {
  readonly #uses: TabUses;
  readonly #handlers = new globalThis.Map<string, Handlers<ClientEvent>>();
  readonly #messages = new globalThis.Map<number, MessageHandler>();
  readonly #waiting = new globalThis.Map<number, Waiting>();
  readonly #statuses = new Handlers<Status>();
  #state: 'connecting' | 'connected' | 'closed' = 'connecting';
  #id = 0;

  /** @internal */
  constructor(uses: TabUses) {
    this.#uses = uses;
    const { port, settings, getToken, lastSession, lock } = uses;
    port.onmessage = ({ data }) => void this.#take(data as ToTab);
    this.#say({ t: 'open', settings, hasToken: getToken !== undefined, lastSession });
    void lock?.then((held) => this.#state !== 'closed' && this.#say({ t: 'lock', lock: held }));
  }

  /** `connecting`, `connected` or `closed`, of the connection that all tabs share. */
  get state(): 'connecting' | 'connected' | 'closed' {
    return this.#state;
  }

  /** As of the client: the next event waits until this one is handled, in every tab. Returns the way to end it. */
  on<Name extends keyof EventsOf<Map> & string>(
    name: Name,
    handler: EventHandler<EventsOf<Map>[Name]>,
  ): () => void;
  on(name: '*', handler: EventHandler): () => void;
  on(name: string, handler: (event: ClientEvent<never>) => unknown): () => void {
    checkEventName(name);
    const named = this.#handlers.get(name) ?? new Handlers<ClientEvent>();
    this.#handlers.set(name, named);
    const end = named.enter({ handler: handler as EventHandler });
    if (named.all.length === 1) this.#say({ t: 'on', name });
    return () => {
      const wasOn = named.all.length > 0;
      end();
      if (wasOn && named.all.length === 0) this.#say({ t: 'off', name });
    };
  }

  /** As of the client; patterns too. It ends with the tab. @throws ClientError */
  subscribe<Name extends keyof Topics & string>(
    topic: Name,
    handler: MessageHandler<Got<Topics[Name]>>,
    options?: TopicWishes,
  ): Promise<Subscription>;
  subscribe<Data = unknown, Name extends string = string>(
    topic: Unlisted<Topics, Name>,
    handler: MessageHandler<Data>,
    options?: TopicWishes,
  ): Promise<Subscription>;
  async subscribe(
    topic: string,
    handler: MessageHandler<never>,
    options: TopicWishes = {},
  ): Promise<Subscription> {
    checkSubscribable(topic);
    const id = this.#id++;
    this.#messages.set(id, handler as MessageHandler);
    try {
      await this.#ask(id, { t: 'subscribe', id, topic, options });
    } catch (error) {
      this.#messages.delete(id);
      throw error;
    }
    const unsubscribe = async (): Promise<void> => {
      if (this.#messages.delete(id)) this.#say({ t: 'unsubscribe', id });
    };
    return { topic, unsubscribe };
  }

  /** As of the client; the options but for `signal`. @throws ClientError */
  publish<Name extends keyof Topics & string>(
    topic: Name,
    data: Sent<Topics[Name]>,
    options?: TabSendOptions,
  ): Promise<void>;
  publish<Name extends string>(
    topic: Unlisted<Topics, Name>,
    data: unknown,
    options?: TabSendOptions,
  ): Promise<void>;
  async publish(topic: string, data: unknown, options: TabSendOptions = {}): Promise<void> {
    await this.#call('publish', topic, data, options);
  }

  /** As of the client; the options but for `signal`. @throws ClientError */
  request<Name extends keyof Requests & string>(
    method: Name,
    data: DataOf<Requests[Name]>,
    options?: TabSendOptions,
  ): Promise<ReplyOf<Requests[Name]>>;
  request<Reply = unknown, Name extends string = string>(
    method: Unlisted<Requests, Name>,
    data?: unknown,
    options?: TabSendOptions,
  ): Promise<Reply>;
  async request(method: string, data?: unknown, options: TabSendOptions = {}): Promise<unknown> {
    return await this.#call('request', method, data, options);
  }

  /** As of the client; errors in it are plain objects. Returns the way to stop. */
  onStatus(listener: (status: Status) => void): () => void {
    return this.#statuses.enter({ handler: listener });
  }

  /** This tab wants no more; the connection goes on for the others, and ends with the last. */
  async close(): Promise<void> {
    // The worker may have said before that it is closed.
    if (this.#state !== 'closed') this.#say({ t: 'bye' });
    this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #end(): void {
    this.#state = 'closed';
    this.#uses.port.close();
    const error = new ClientError('closed', 'this tab has closed its client; connect anew');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #take(told: ToTab): Promise<void> {
    if (told.t === 'state') {
      this.#state = told.state;
      if (told.lastSession) this.#uses.keep(told.lastSession);
    } else if (told.t === 'status') callEach(this.#statuses.all, told.status as Status, report);
    else if (told.t === 'event') await this.#hand(told.n, told.event as ClientEvent);
    else if (told.t === 'message')
      callEach([{ handler: this.#messages.get(told.id) }], told.message as TopicMessage, report);
    else if (told.t === 'token') await this.#tellToken();
    else {
      const waiting = this.#waiting.get(told.id);
      this.#waiting.delete(told.id);
      const { error } = told;
      if (error) waiting?.reject(new ClientError(error.code, error.message, undefined, error.source));
      else waiting?.resolve(told.value);
    }
  }

  async #hand(n: number, event: ClientEvent): Promise<void> {
    const all = ['*', event.name].flatMap((name) => this.#handlers.get(name)?.all ?? []);
    const failed = (error: unknown): void => {
      const { id, name } = event;
      const status: Status = { type: 'handler-error', error, id, name };
      if (this.#statuses.all.length === 0) report(error);
      callEach(this.#statuses.all, status, report);
    };
    await Promise.all(callEach(all, event, failed) ?? []);
    if (this.#state !== 'closed') this.#say({ t: 'done', n });
  }

  async #tellToken(): Promise<void> {
    try {
      this.#say({ t: 'token', token: await (this.#uses.getToken as () => Promise<string>)() });
    } catch (error) {
      this.#say({ t: 'token', error: String(error) });
    }
  }

  #call(kind: 'publish' | 'request', name: string, data: unknown, options: TabSendOptions): Promise<unknown> {
    checkName(name);
    const id = this.#id++;
    return this.#ask(id, { t: 'call', id, kind, name, data, options });
  }

  #ask(id: number, said: FromTab): Promise<unknown> {
    if (this.#state === 'closed')
      throw new ClientError('closed', 'this tab has closed its client; connect anew');
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#say(said);
    });
  }

  #say(said: FromTab): void {
    this.#uses.port.postMessage(said);
  }
}

/**
 * Options of calls in a tab.
 * @example
 * const options: TabSendOptions = { timeoutMs: 5_000 };
 */
export type TabSendOptions = Omit<SendOptions, 'signal'>;

// A handler's fault must neither stop the others nor be swallowed.
const report = (error: unknown): void =>
  queueMicrotask(() => {
    throw error;
  });
