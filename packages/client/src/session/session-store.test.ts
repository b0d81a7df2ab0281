import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Saved, type SessionStorageLike, SessionStore } from './session-store.js';

type Listener = () => void;
/** Of a page that lives. */
const live = () => new AbortController().signal;

afterEach(() => vi.unstubAllGlobals());

/** A tab: its storage and the events of its page. */
function tab(copyOf?: Map<string, string>) {
  const map = new Map(copyOf);
  const listeners = new Map<string, Set<Listener>>();
  vi.stubGlobal('addEventListener', (type: string, fn: Listener, options: { signal: AbortSignal }) => {
    listeners.set(type, (listeners.get(type) ?? new Set()).add(fn));
    options.signal.addEventListener('abort', () => listeners.get(type)?.delete(fn));
  });
  const storage: SessionStorageLike = {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
  };
  const fire = (type: string): void => {
    for (const fn of listeners.get(type) ?? []) fn();
  };
  return { map, storage, fire, listeners };
}
const mine = () => ({ session: 's1', from: ['a'] });
const store = (storage: SessionStorageLike, user = 'u', back?: (taken: Saved | undefined) => void) =>
  new SessionStore(storage, user, mine, back);

it('a reloaded page finds the session of the page before', () => {
  const { storage, fire } = tab();
  expect(store(storage).open(live())).toEqual({});
  fire('pagehide');
  expect(store(storage).open(live())).toEqual({ session: 's1', from: ['a'] });
});

it('a duplicated tab finds none while the first lives, nor when the first came back from the page cache', () => {
  const first = tab();
  store(first.storage).open(live());
  expect(store(tab(first.map).storage).open(live())).toEqual({});
  first.fire('pagehide');
  first.fire('pageshow');
  expect(store(tab(first.map).storage).open(live())).toEqual({});
});

it('what lies in the storage of two tabs, copied from one another, is for the one that comes first', () => {
  const first = tab();
  const all = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => all.get(key) ?? null,
    setItem: (key: string, value: string) => void all.set(key, value),
  });
  store(first.storage).open(live());
  first.fire('pagehide');
  const second = tab(first.map);
  expect(store(second.storage).open(live())).toMatchObject({ session: 's1' });
  expect(store(first.storage).open(live())).toEqual({});
});

it('frames of a page find their own sessions again', () => {
  const { storage, fire, listeners } = tab();
  const page: Record<string | number, unknown> = { length: 2 };
  page.parent = page;
  const open = (session: string, at?: number) => {
    vi.stubGlobal('parent', at === undefined ? undefined : page);
    if (at !== undefined) page[at] = globalThis;
    const saved = new SessionStore({ ...storage }, 'u', () => ({ session })).open(live());
    if (at !== undefined) page[at] = undefined;
    return saved.session;
  };
  expect([open('a'), open('b', 0), open('c', 1)]).toEqual([undefined, undefined, undefined]);
  fire('pagehide');
  listeners.clear();
  expect([open('x', 1), open('y'), open('z', 0)]).toEqual(['c', 'a', 'b']);
});

it('a closed client leaves nothing behind', () => {
  const { storage, fire, map } = tab();
  const closed = store(storage);
  const over = new AbortController();
  closed.open(over.signal);
  over.abort();
  closed.close();
  fire('pagehide');
  expect(map.size).toBe(0);
});

it('a storage with rubbish in it, or one that refuses, is as none', () => {
  const { storage, map } = tab();
  for (const rubbish of ['{', 'null', '7', '{"session":["a"],"from":"b"}']) {
    map.set('evenkeel.session u', rubbish);
    const any = store(storage);
    expect(any.open(live())).toEqual({});
    any.close();
  }
  const refusing = {
    ...storage,
    getItem: () => {
      throw new Error('denied');
    },
  };
  expect(store(refusing).open(live())).toEqual({});
});

it('two clients of a page find their own sessions again, of two users as of one', () => {
  const { storage, fire, listeners } = tab();
  const open = (user: string, session: string) =>
    new SessionStore(storage, user, () => ({ session })).open(live());
  for (const [user, session] of [
    ['u', 'a'],
    ['v', 'b'],
    ['v', 'c'],
  ] as const)
    expect(open(user, session)).toEqual({});
  fire('pagehide');
  listeners.clear();
  expect([open('u', 'x'), open('v', 'y'), open('v', 'z')].map(({ session }) => session)).toEqual([
    'a',
    'b',
    'c',
  ]);
});

describe('a page that comes back from the page cache', () => {
  const hidden = () => {
    const page = tab();
    const told: (Saved | undefined)[] = [];
    store(page.storage, 'u', (taken) => told.push(taken)).open(live());
    page.fire('pagehide');
    const listeners = new Map(page.listeners);
    page.listeners.clear();
    const back = () => {
      for (const fn of listeners.get('pageshow') ?? []) fn();
    };
    return { ...page, told, back };
  };

  it('has its session as before when nobody has had it', () => {
    const { map, told, back } = hidden();
    back();
    expect([told, map.size]).toEqual([[undefined], 0]);
  });

  it('learns that another page has had it and left it', () => {
    const { storage, fire, told, back } = hidden();
    expect(store(storage).open(live())).toMatchObject({ session: 's1' });
    fire('pagehide');
    back();
    expect(told).toEqual([{ session: 's1', from: ['a'] }]);
  });

  it('learns that another page has it', () => {
    const { storage, told, back } = hidden();
    store(storage).open(live());
    back();
    expect(told).toEqual([{}]);
  });
});
