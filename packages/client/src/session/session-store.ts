import { isNodeName, isSid } from '@evenkeel/protocol/wire';

/** The part of `sessionStorage` that is used. */
export interface SessionStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

interface Saved {
  session?: string;
  from?: string[];
}
interface PageEvents {
  addEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
  removeEventListener?(type: string, listener: (event: { persisted?: boolean }) => void): void;
}
/** Keys that clients of this page have: those of one user at one gateway are told apart by the order in which they are made. */
const heldIn = new WeakMap<SessionStorageLike, Set<string>>();

/**
 * Carries a tab's session over a reload. The id is in the storage only while no page of the tab lives: a browser
 * copies the storage when it duplicates a tab, and two pages with one session would throw each other out.
 *
 * A page that comes back from the browser's page cache may find that another page has had its session meanwhile: then the
 * mark on it is another, or it is gone.
 */
export class SessionStore {
  readonly #storage: SessionStorageLike | undefined;
  readonly #page = globalThis as PageEvents;
  readonly #name: string;
  readonly #current: () => Saved;
  readonly #taken: (isGone: boolean) => void;
  readonly #mark = Math.random().toString(36).slice(2);
  readonly #held: Set<string>;
  #key = '';
  #isSaved = false;
  readonly #save = (): void => {
    this.#held.delete(this.#key);
    const saved = this.#current();
    this.#isSaved = saved.session !== undefined;
    if (this.#isSaved) this.#storage?.setItem(this.#key, JSON.stringify({ ...saved, by: this.#mark }));
  };
  readonly #comeBack = ({ persisted }: { persisted?: boolean }): void => {
    this.#held.add(this.#key);
    const by = this.#take()?.by;
    if (persisted && this.#isSaved && by !== this.#mark) this.#taken(by === undefined);
    this.#isSaved = false;
  };

  /**
   * `name`: whose sessions these are, of all clients of a page. `taken`: another page has had the session since this one went
   * into the page cache; `isGone`: and has not left it behind.
   */
  constructor(
    storage: SessionStorageLike | undefined,
    name: string,
    current: () => Saved,
    taken: (isGone: boolean) => void = () => {},
  ) {
    this.#storage = storage;
    this.#held = (storage && heldIn.get(storage)) ?? new Set();
    if (storage) heldIn.set(storage, this.#held);
    this.#name = name;
    this.#current = current;
    this.#taken = taken;
  }

  /** What an earlier page of this tab left, taken out. */
  open(): Saved {
    if (!this.#storage) return {};
    this.#page.addEventListener?.('pagehide', this.#save);
    this.#page.addEventListener?.('pageshow', this.#comeBack);
    let n = 0;
    do {
      this.#key = `evenkeel.session ${this.#name}${n++ || ''}`;
    } while (this.#held.has(this.#key));
    this.#held.add(this.#key);
    return savedIn(this.#take());
  }

  close(): void {
    this.#page.removeEventListener?.('pagehide', this.#save);
    this.#page.removeEventListener?.('pageshow', this.#comeBack);
    this.#held.delete(this.#key);
  }

  /** What is stored, taken out. */
  #take(): { by?: unknown } | undefined {
    try {
      const text = this.#storage?.getItem(this.#key);
      this.#storage?.removeItem(this.#key);
      return JSON.parse(text ?? 'null') ?? undefined;
    } catch {
      return undefined;
    }
  }
}

/** What of it can be used: the storage is the page's, anybody may have written there. */
function savedIn(value: unknown): Saved {
  const { session, from } = (value ?? {}) as Record<keyof Saved, unknown>;
  return {
    ...(isSid(session) && { session }),
    ...(Array.isArray(from) && { from: from.filter(isNodeName).slice(0, 4) }),
  };
}

/** `sessionStorage` where there is one and it may be used. */
export function tabStorage(): SessionStorageLike | undefined {
  try {
    return typeof document === 'undefined' ? undefined : globalThis.sessionStorage;
  } catch {
    return undefined;
  }
}
