import { createHash, timingSafeEqual } from 'node:crypto';

/** What a key may do. `read` looks at topics and users, `sessions` disconnects them and joins them to topics. */
const scopes = ['publish', 'read', 'sessions', 'request'] as const;
export type Scope = (typeof scopes)[number];

/** Whom a key is for. */
export interface Holder {
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
}

const scope = `(?:${scopes.join('|')})`;
/** Of an entry of `EVENKEEL_API_KEYS`: name, scopes, SHA-256 of the key in hexadecimal. */
const entry = new RegExp(`^([A-Za-z0-9][A-Za-z0-9._@-]{0,63}):(${scope}(?:\\+${scope})*):([0-9a-f]{64})$`);

/** Whether `text` is an entry of `EVENKEEL_API_KEYS`. */
export const isKeyEntry = (text: string): boolean => entry.test(text);

/** Longest key that is looked at, characters. */
const maxKeyChars = 512;

/** The keys that may ask, of which only hashes are known. */
export class Keys {
  readonly #entries: readonly (Holder & { readonly hash: Buffer })[];

  constructor(entries: readonly string[]) {
    this.#entries = entries.flatMap((text) => {
      const [, name, words, hash] = entry.exec(text) ?? [];
      if (name === undefined || words === undefined || hash === undefined) return [];
      return [{ name, scopes: new Set(words.split('+') as Scope[]), hash: Buffer.from(hash, 'hex') }];
    });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whose key this is. Every entry is compared in full: how long it takes says nothing. */
  holderOf(key: string): Holder | undefined {
    if (key.length > maxKeyChars) return undefined;
    const hash = createHash('sha256').update(key).digest();
    const [found] = this.#entries.filter((each) => timingSafeEqual(each.hash, hash));
    return found && { name: found.name, scopes: found.scopes };
  }
}
