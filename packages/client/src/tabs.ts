/** Tabs that share one connection, where the browser has shared workers. */
import type { EventMap } from './client.js';
import { TabHost } from './more/tabs/host.js';
import type { KeptSession, Port } from './more/tabs/messages.js';
import { TabClient } from './more/tabs/tab.js';
import { Client } from './whole/client.js';

/**
 * Options of {@link connectTabs}.
 * @example
 * const options: TabsOptions = { gateway, getToken: async () => token, worker };
 */
export interface TabsOptions {
  readonly gateway: string;
  readonly user?: string | undefined;
  /** As of `connect`; called in one of the tabs. */
  readonly getToken?: (() => string | Promise<string>) | undefined;
  /** Makes the worker, whose script calls {@link serveTabs}: the same for every tab of one user. */
  readonly worker: () => SharedWorker;
  /** Where the session is kept for a worker that comes after this one. Default `localStorage`; `false`: nowhere. */
  readonly storage?: Pick<Storage, 'getItem' | 'setItem'> | false | undefined;
}

interface Locks {
  request(name: string, hold: () => unknown): Promise<unknown>;
}
interface Browser {
  readonly SharedWorker?: unknown;
  readonly localStorage?: Storage;
  readonly navigator?: { readonly locks?: Locks };
  addEventListener?(type: string, listener: () => void): void;
  onconnect?: (event: { ports: readonly Port[] }) => void;
}
const browser = globalThis as unknown as Browser;

const host = (): TabHost =>
  new TabHost(
    ({ gateway, user }, lastSession, getToken) =>
      new Client({
        gateway,
        user,
        getToken,
        ...lastSession,
        ...(lastSession ? {} : { storage: false }),
      }) as never,
    (lock, then) => void browser.navigator?.locks?.request(lock, then),
  );

/**
 * In the script of a shared worker: it has the connection of all tabs.
 * @example
 * serveTabs(); // the whole of mesh-worker.js, beside the import
 */
export function serveTabs(): void {
  const tabs = host();
  browser.onconnect = ({ ports: [port] }) => port && tabs.attach(port);
}

/**
 * Connects by the connection that all tabs of this user share. Without shared workers the tab has one of its own.
 * @example
 * const shared = connectTabs({
 *   gateway,
 *   user: 'alice',
 *   worker: () => new SharedWorker('/mesh-worker.js', { type: 'module', name: 'alice' }),
 * });
 * shared.on('order.created', ({ data }) => console.log(data));
 */
export function connectTabs<Map extends object = EventMap>(options: TabsOptions): TabClient<Map> {
  const { gateway, user, getToken, storage = browser.localStorage } = options;
  const key = `evenkeel-tabs ${gateway} ${user ?? ''}`;
  const isShared = browser.SharedWorker !== undefined;
  const port = isShared ? (options.worker().port as Port) : ownPort();
  const client = new TabClient<Map>({
    port,
    settings: { gateway, user },
    getToken,
    lastSession: isShared && storage ? read(storage.getItem(key)) : undefined,
    lock: isShared ? heldLock(key) : undefined,
    keep: (lastSession) => {
      if (isShared && storage) storage.setItem(key, JSON.stringify(lastSession));
    },
  });
  browser.addEventListener?.('pagehide', () => void client.close());
  return client;
}

/** A lock that is held until the tab is closed, also where it crashes. */
function heldLock(key: string): Promise<string> | undefined {
  const locks = browser.navigator?.locks;
  if (!locks) return undefined;
  const lock = `${key} ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const hold = (): Promise<never> => {
      resolve(lock);
      return new Promise(() => {});
    };
    void locks.request(lock, hold);
  });
}

/** The same in one tab. */
function ownPort(): Port {
  const { port1, port2 } = new MessageChannel();
  host().attach(port2 as Port);
  return port1 as Port;
}

function read(text: string | null): KeptSession | undefined {
  try {
    return text === null ? undefined : (JSON.parse(text) as KeptSession);
  } catch {
    return undefined;
  }
}
