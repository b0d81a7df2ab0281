import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role } from '../api.js';

/** Whom a token is for. */
export interface Holder {
  readonly name: string;
  readonly role: Role;
}

/** Of an entry of `EVENKEEL_CONSOLE_TOKENS`: name, role, SHA-256 of the token in hexadecimal. */
const entry = /^([A-Za-z0-9][A-Za-z0-9._@-]{0,63}):(view|operate):([0-9a-f]{64})$/;

/** Whether `text` is an entry of `EVENKEEL_CONSOLE_TOKENS`. */
export const isTokenEntry = (text: string): boolean => entry.test(text);

/** Longest token that is looked at, characters. */
const maxTokenChars = 512;

/** The tokens that let somebody in, of which only hashes are known. */
export class Tokens {
  readonly #entries: readonly (Holder & { readonly hash: Buffer })[];

  constructor(entries: readonly string[]) {
    this.#entries = entries.flatMap((text) => {
      const [, name, role, hash] = entry.exec(text) ?? [];
      if (name === undefined || hash === undefined) return [];
      return [{ name, role: role as Role, hash: Buffer.from(hash, 'hex') }];
    });
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Whose token this is. Every entry is compared in full: how long it takes says nothing. */
  holderOf(token: string): Holder | undefined {
    if (token.length > maxTokenChars) return undefined;
    const hash = createHash('sha256').update(token).digest();
    const [found] = this.#entries.filter((each) => timingSafeEqual(each.hash, hash));
    return found && { name: found.name, role: found.role };
  }
}
