import { ClientError } from '../../errors.js';
import type { ClientEvent } from '../../events/event.js';
import type { Status } from '../../status.js';
import type { Subscription } from '../../topics/subscribe.js';
import type { TopicMessage } from '../../topics/topics.js';
import type { FromTab, KeptSession, Port, TabSettings, Told, ToTab } from './messages.js';

/** The client, as far as tabs use it. */
export interface SharedClient {
  readonly state: 'connecting' | 'connected' | 'closed';
  readonly session: string | undefined;
  readonly resume: string | undefined;
  on(name: string, handler: (event: ClientEvent) => unknown): () => void;
  onStatus(listener: (status: Status) => void): () => void;
  subscribe(
    topic: string,
    handler: (message: TopicMessage) => unknown,
    options: object,
  ): Promise<Subscription>;
  publish(topic: string, data: unknown, options: object): Promise<void>;
  request(method: string, data: unknown, options: object): Promise<unknown>;
  close(): Promise<void>;
}
/** Makes the client for the first tab. `getToken`: undefined where no token is needed. */
export type MakeClient = (
  settings: TabSettings,
  lastSession: KeptSession | undefined,
  getToken: (() => Promise<string>) | undefined,
) => SharedClient;

interface Tab {
  readonly port: Port;
  readonly names: Set<string>;
  readonly subscriptions: Map<number, Promise<Subscription>>;
  /** Events that its handlers have not settled. */
  readonly pending: Map<number, () => void>;
  readonly post: (message: ToTab) => void;
}

/** Has the client of all tabs: each gets what it listens to, and an event is acknowledged when every tab that got it has handled it. */
export class TabHost {
  readonly #make: MakeClient;
  readonly #gone: (lock: string, then: () => void) => void;
  readonly #tabs = new Set<Tab>();
  readonly #listened = new Map<string, () => void>();
  #client: SharedClient | undefined;
  /** Whose it is. */
  #of = '';
  #tokens: { resolve: (token: string) => void; reject: (error: Error) => void }[] = [];
  #n = 0;

  /** `gone` calls back when whoever holds a lock has let go of it. */
  constructor(make: MakeClient, gone: (lock: string, then: () => void) => void) {
    this.#make = make;
    this.#gone = gone;
  }

  /** A tab has come. */
  attach(port: Port): void {
    const tab: Tab = {
      port,
      names: new Set(),
      subscriptions: new Map(),
      pending: new Map(),
      post: (message) => port.postMessage(message),
    };
    port.onmessage = ({ data }) => this.#take(tab, data as FromTab);
  }

  #take(tab: Tab, said: FromTab): void {
    if (said.t === 'open') return this.#open(tab, said);
    if (said.t === 'bye') return this.#leave(tab);
    if (said.t === 'done') return tab.pending.get(said.n)?.();
    if (said.t === 'token') return this.#hasToken(said.token, said.error);
    const client = this.#client;
    if (!client || !this.#tabs.has(tab)) return;
    if (said.t === 'lock') return this.#gone(said.lock, () => this.#leave(tab));
    if (said.t === 'on') this.#listen(client, tab, said.name);
    else if (said.t === 'off') this.#unlisten(tab, said.name);
    else if (said.t === 'subscribe') this.#subscribe(client, tab, said);
    else if (said.t === 'unsubscribe') this.#unsubscribe(tab, said.id);
    else {
      const { id, kind, name, data, options } = said;
      client[kind](name, data, options).then(
        (value: unknown) => tab.post({ t: 'answer', id, value }),
        (error: unknown) => tab.post({ t: 'answer', id, error: told(error) }),
      );
    }
  }

  #open(tab: Tab, { settings, hasToken, lastSession }: Extract<FromTab, { t: 'open' }>): void {
    const { gateway, user } = settings;
    const of = `${gateway} ${user ?? ''}`;
    if (this.#client && of !== this.#of) {
      const message = 'tabs of another gateway or user have this worker: give each user one of another name';
      return refuse(tab, new ClientError('bad-option', message));
    }
    try {
      const client = this.#client ?? this.#begin(settings, lastSession, hasToken);
      this.#of = of;
      this.#tabs.add(tab);
      tab.post(stateOf(client));
    } catch (error) {
      refuse(tab, error);
    }
  }

  #begin(settings: TabSettings, lastSession: KeptSession | undefined, hasToken: boolean): SharedClient {
    const client = this.#make(settings, lastSession, hasToken ? () => this.#getToken() : undefined);
    this.#client = client;
    client.onStatus((status) => {
      // Its last tab has left it, and there may be another already.
      if (this.#client !== client) return;
      for (const { post } of this.#tabs) {
        post(stateOf(client));
        post({ t: 'status', status: plain(status) });
      }
      if (status.type === 'closed') this.#closed();
    });
    return client;
  }

  /** For good, as its tabs have been told: whoever comes next gets another client. */
  #closed(): void {
    this.#client = undefined;
    this.#listened.clear();
    for (const { pending } of this.#tabs) for (const done of [...pending.values()]) done();
    this.#tabs.clear();
    this.#hasToken(undefined, 'the client was closed');
  }

  #listen(client: SharedClient, tab: Tab, name: string): void {
    tab.names.add(name);
    if (this.#listened.has(name)) return;
    const end = client.on(name, (event) =>
      Promise.all([...this.#tabs].map((each) => this.#hand(each, name, event))),
    );
    this.#listened.set(name, end);
  }

  /** Resolves when the tab has handled it, or has gone. A tab that hears of all and of this one gets it once. */
  #hand(tab: Tab, name: string, event: ClientEvent): Promise<void> | undefined {
    const isOfAll = name === '*';
    if (!tab.names.has(name) || (isOfAll && tab.names.has(event.name))) return undefined;
    const n = this.#n++;
    return new Promise((resolve) => {
      tab.pending.set(n, () => {
        tab.pending.delete(n);
        resolve();
      });
      tab.post({ t: 'event', n, event });
    });
  }

  #unlisten(tab: Tab, name: string): void {
    tab.names.delete(name);
    if ([...this.#tabs].some(({ names }) => names.has(name))) return;
    this.#listened.get(name)?.();
    this.#listened.delete(name);
  }

  #subscribe(
    client: SharedClient,
    tab: Tab,
    { id, topic, options }: Extract<FromTab, { t: 'subscribe' }>,
  ): void {
    const asked = client.subscribe(topic, (message) => tab.post({ t: 'message', id, message }), options);
    tab.subscriptions.set(id, asked);
    asked.then(
      () => tab.post({ t: 'answer', id }),
      (error: unknown) => {
        tab.subscriptions.delete(id);
        tab.post({ t: 'answer', id, error: told(error) });
      },
    );
  }

  #unsubscribe(tab: Tab, id: number): void {
    const asked = tab.subscriptions.get(id);
    tab.subscriptions.delete(id);
    asked?.then((subscription) => subscription.unsubscribe()).catch(() => {});
  }

  /** The session of the last one stays for its lifetime, as of a page that is closed. */
  #leave(tab: Tab): void {
    if (!this.#tabs.delete(tab)) return;
    for (const name of [...tab.names]) this.#unlisten(tab, name);
    for (const id of [...tab.subscriptions.keys()]) this.#unsubscribe(tab, id);
    for (const done of [...tab.pending.values()]) done();
    if (this.#tokens.length > 0) this.#askToken();
    if (this.#tabs.size > 0) return;
    const client = this.#client;
    this.#client = undefined;
    void client?.close();
  }

  /** The tab that came last has the freshest. */
  #getToken(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#tokens.push({ resolve, reject });
      this.#askToken();
    });
  }

  #askToken(): void {
    [...this.#tabs].at(-1)?.post({ t: 'token' });
  }

  #hasToken(token: string | undefined, error: string | undefined): void {
    for (const { resolve, reject } of this.#tokens.splice(0)) {
      if (token === undefined) reject(new Error(error));
      else resolve(token);
    }
  }
}

const stateOf = ({ state, session, resume }: SharedClient): ToTab => ({
  t: 'state',
  state,
  ...(session !== undefined && { lastSession: { session, ...(resume !== undefined && { resume }) } }),
});

/** There is no client for it. */
const refuse = ({ post }: Tab, error: unknown): void => {
  post({ t: 'state', state: 'closed' });
  post({ t: 'status', status: { type: 'closed', error: told(error) } });
};

const told = (error: unknown): Told => {
  const { code = 'closed', source = 'client' } = error instanceof ClientError ? error : {};
  return { code, source, message: error instanceof Error ? error.message : String(error) };
};

/** Without what cannot be sent to a tab. */
const plain = (status: Status): object =>
  Object.fromEntries(
    Object.entries(status).map(([name, value]) => [name, value instanceof Error ? told(value) : safe(value)]),
  );
const safe = (value: unknown): unknown => {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
};
