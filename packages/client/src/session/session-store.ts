import { isNodeName, isSid } from '@evenkeel/protocol/wire';

/** The part of `sessionStorage` that is used. */
export interface SessionStorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const key = 'evenkeel.session';
interface Saved {
  session?: string;
  from?: string[];
}
interface PageEvents {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/**
 * Carries a tab's session over a reload. The id is in the storage only while no page of the tab lives: a browser
 * copies the storage when it duplicates a tab, and two pages with one session would throw each other out.
 */
export class SessionStore {
  private readonly storage: SessionStorageLike | undefined;
  private readonly page = globalThis as PageEvents;
  private readonly current: () => Saved;
  private readonly save = (): void => {
    const saved = this.current();
    if (saved.session) this.storage?.setItem(key, JSON.stringify(saved));
  };
  private readonly take = (): void => this.storage?.removeItem(key);

  constructor(storage: SessionStorageLike | undefined, current: () => Saved) {
    this.storage = storage;
    this.current = current;
  }

  /** What an earlier page of this tab left, taken out. */
  open(): Saved {
    if (!this.storage) return {};
    this.page.addEventListener?.('pagehide', this.save);
    this.page.addEventListener?.('pageshow', this.take);
    try {
      const text = this.storage.getItem(key);
      this.take();
      return savedIn(JSON.parse(text ?? 'null'));
    } catch {
      return {};
    }
  }

  close(): void {
    this.page.removeEventListener?.('pagehide', this.save);
    this.page.removeEventListener?.('pageshow', this.take);
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
