import { isNodeName, isProof, isSid } from '@evenkeel/protocol/wire';
import { isPage, onPage } from '../page.js';

/**
 * The part of `sessionStorage` that is used.
 * @example
 * const memory = new Map<string, string>();
 * const storage: SessionStorageLike = {
 *   getItem: (key) => memory.get(key) ?? null,
 *   setItem: (key, value) => void memory.set(key, value),
 *   removeItem: (key) => void memory.delete(key),
 * };
 * const kept = connect({ gateway, user, storage });
 */
export interface SessionStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What a page leaves behind for the next one of its tab. */
export interface Saved {
  readonly session?: string | undefined;
  readonly resume?: string | undefined;
  readonly from?: string[];
}
/** A page, or a frame in one. */
interface Frame {
  readonly parent?: Frame;
  readonly length: number;
  readonly [index: number]: Frame;
}
/** Keys that clients of this page have: those of one user at one gateway are told apart by the order in which they are made. */
const heldIn = new WeakMap<SessionStorageLike, Set<string>>();
/** Where the tabs of a browser tell each other what has been taken, and how much of it they keep: some 80 marks. */
const takenKey = 'evenkeel.taken';
const takenLength = 1_000;

/**
 * Carries a tab's session over a reload. The id is in the storage only while no page of the tab lives: a browser
 * copies the storage when it duplicates a tab, and two pages with one session would throw each other out. What is in it all the
 * same (the page in between had no client) is for the tab that comes first.
 *
 * A page that comes back from the browser's page cache may find that another page has had its session meanwhile: then the
 * mark on it is another, or it is gone.
 */
export class SessionStore {
  readonly #storage: SessionStorageLike | undefined;
  readonly #name: string;
  readonly #leave: () => Saved;
  readonly #back: (taken: Saved | undefined) => void;
  readonly #held: Set<string>;
  #key = '';
  /** On what this page has left; '': it has left nothing. */
  #mark = '';

  /**
   * `name`: whose sessions these are, of all clients of a page. `leave`: the page is left; what the next one needs. `back`: it is
   * shown, or shown again; `taken`: another page has had the session since it went into the page cache, and has left this
   * behind, or nothing yet.
   */
  constructor(
    storage: SessionStorageLike | undefined,
    name: string,
    leave: () => Saved,
    back: (taken: Saved | undefined) => void = () => {},
  ) {
    this.#storage = storage;
    this.#held = (storage && heldIn.get(storage)) ?? new Set();
    if (storage) heldIn.set(storage, this.#held);
    this.#name = name;
    this.#leave = leave;
    this.#back = back;
  }

  /** What an earlier page of this tab left, taken out. Hears of the page until `signal` says otherwise. */
  open(signal: AbortSignal): Saved {
    if (!this.#storage) return {};
    onPage('pagehide', () => this.#save(), signal);
    onPage('pageshow', () => this.#comeBack(), signal);
    let n = 0;
    do {
      this.#key = `evenkeel.session ${framePath()}${this.#name}${n++ || ''}`;
    } while (this.#held.has(this.#key));
    this.#held.add(this.#key);
    return this.#take()[1];
  }

  #save(): void {
    this.#held.delete(this.#key);
    const { session, resume, from } = this.#leave();
    if (!session) return;
    const by = Math.random().toString(36).slice(2);
    this.#mark = by;
    this.#storage?.setItem(this.#key, JSON.stringify({ session, resume, from, by }));
  }

  #comeBack(): void {
    this.#held.add(this.#key);
    const [by, saved] = this.#take();
    this.#back(this.#mark && by !== this.#mark ? saved : undefined);
    this.#mark = '';
  }

  /** This page has its session, whatever the one before it has left on its way out. */
  settle(): void {
    if (!this.#mark) this.#take();
  }

  close(): void {
    this.#held.delete(this.#key);
  }

  /** What is stored, taken out, and the mark on it. Nothing where another tab has taken the same. */
  #take(): [by: unknown, saved: Saved] {
    try {
      const text = this.#storage?.getItem(this.#key);
      this.#storage?.removeItem(this.#key);
      const { by, ...saved } = JSON.parse(text ?? '{}');
      if (typeof by === 'string' && isFirst(by)) return [by, savedIn(saved)];
    } catch {
      // As none.
    }
    return [undefined, {}];
  }
}

/** What of it can be used: the storage is the page's, anybody may have written there. */
function savedIn({ session, resume, from }: Record<string, unknown>): Saved {
  return {
    ...(isSid(session) && { session }),
    ...(isProof(resume) && { resume }),
    ...(Array.isArray(from) && { from: from.filter(isNodeName).slice(0, 4) }),
  };
}

/** Whether no tab has taken what bears this mark; from now on one has. */
function isFirst(mark: string): boolean {
  try {
    const marks = localStorage.getItem(takenKey) ?? '';
    if (marks.includes(mark)) return false;
    localStorage.setItem(takenKey, `${mark} ${marks}`.slice(0, takenLength));
  } catch {
    // In Node there is none; in a page it may be full or forbidden.
  }
  return true;
}

/** Which frame of the tab this is: they share its storage. */
function framePath(): string {
  let path = '';
  let frame = globalThis as unknown as Frame;
  for (let { parent } = frame; parent && parent !== frame; { parent } = frame) {
    for (let i = parent.length; i--; ) if (parent[i] === frame) path += `${i} `;
    frame = parent;
  }
  return path;
}

/** `sessionStorage` where there is one and it may be used. */
export function tabStorage(): SessionStorageLike | undefined {
  try {
    return isPage() ? globalThis.sessionStorage : undefined;
  } catch {
    return undefined;
  }
}
