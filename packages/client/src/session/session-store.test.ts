import { afterEach, expect, it, vi } from 'vitest';
import { type SessionStorageLike, SessionStore } from './session-store.js';

afterEach(() => vi.unstubAllGlobals());

/** A tab: its storage and the events of its page. */
function tab(copyOf?: Map<string, string>) {
  const map = new Map(copyOf);
  const listeners = new Map<string, Set<() => void>>();
  vi.stubGlobal('addEventListener', (type: string, fn: () => void) => {
    listeners.set(type, (listeners.get(type) ?? new Set()).add(fn));
  });
  vi.stubGlobal('removeEventListener', (type: string, fn: () => void) => listeners.get(type)?.delete(fn));
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

it('a reloaded page finds the session of the page before', () => {
  const { storage, fire } = tab();
  expect(new SessionStore(storage, mine).open()).toEqual({});
  fire('pagehide');
  expect(new SessionStore(storage, mine).open()).toEqual({ session: 's1', from: ['a'] });
});

it('a duplicated tab finds none while the first lives, nor when the first came back from the page cache', () => {
  const first = tab();
  new SessionStore(first.storage, mine).open();
  expect(new SessionStore(tab(first.map).storage, mine).open()).toEqual({});
  first.fire('pagehide');
  first.fire('pageshow');
  expect(new SessionStore(tab(first.map).storage, mine).open()).toEqual({});
});

it('a closed client leaves nothing behind', () => {
  const { storage, fire, map } = tab();
  const store = new SessionStore(storage, mine);
  store.open();
  store.close();
  fire('pagehide');
  expect(map.size).toBe(0);
});

it('a storage with rubbish in it, or one that refuses, is as none', () => {
  const { storage, map } = tab();
  for (const rubbish of ['{', 'null', '7', '{"session":["a"],"from":"b"}']) {
    map.set('evenkeel.session', rubbish);
    expect(new SessionStore(storage, mine).open()).toEqual({});
  }
  const refusing = {
    ...storage,
    getItem: () => {
      throw new Error('denied');
    },
  };
  expect(new SessionStore(refusing, mine).open()).toEqual({});
});
