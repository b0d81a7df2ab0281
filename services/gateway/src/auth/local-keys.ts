import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** A file is looked at this often at most, ms. */
const lookEveryMs = 2_000;
/** Longest file of keys, bytes. */
const maxBytes = 1_048_576;

/** What a token may be checked with: a function that finds the key, or keys that are tried in turn. */
export type VerifyingKeys = readonly (KeyObject | JWTVerifyGetKey)[];

/** Keys that are in a file, read again when it changes. What cannot be read then is reported, and the keys before it go on counting. */
export class KeyFile {
  readonly #path: string | URL;
  readonly #parse: (text: string) => VerifyingKeys;
  readonly #options: { nowMs(): number; onFailed(error: unknown): void };
  #keys: VerifyingKeys = [];
  #seen = '';
  #lookedAtMs = 0;

  constructor(
    path: string | URL,
    parse: (text: string) => VerifyingKeys,
    options: { nowMs(): number; onFailed(error: unknown): void },
  ) {
    this.#path = path;
    this.#parse = parse;
    this.#options = options;
  }

  /** @throws Error when it cannot be read */
  read(): void {
    const { size, mtimeMs, ino } = statSync(this.#path);
    if (size > maxBytes) throw new Error(`the file of keys has more than ${maxBytes} bytes`);
    this.#seen = `${mtimeMs} ${size} ${ino}`;
    this.#keys = this.#parse(readFileSync(this.#path, 'utf8'));
  }

  /** Reads it now. */
  reload(): void {
    this.#lookedAtMs = this.#options.nowMs();
    try {
      this.read();
    } catch (error) {
      this.#options.onFailed(error);
    }
  }

  keys(): VerifyingKeys {
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#lookedAtMs >= lookEveryMs) {
      this.#lookedAtMs = nowMs;
      if (this.#hasChanged()) this.reload();
    }
    return this.#keys;
  }

  #hasChanged(): boolean {
    try {
      const { size, mtimeMs, ino } = statSync(this.#path);
      return `${mtimeMs} ${size} ${ino}` !== this.#seen;
    } catch {
      // Gone for a moment, as while it is replaced, or for good: the keys count on.
      return false;
    }
  }
}

export const keysOfSet = (text: string): VerifyingKeys => [
  createLocalJWKSet(JSON.parse(text) as JSONWebKeySet),
];

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** The public keys in PEM text: one, or several while they are being changed. @throws Error that says what is wrong */
export function keysOfPem(text: string): VerifyingKeys {
  // One line, as many environments can carry no other.
  const blocks = [...text.replaceAll('\\n', '\n').matchAll(pemBlock)];
  if (blocks.length === 0) throw new Error('there is no PEM in it: -----BEGIN PUBLIC KEY-----');
  return blocks.map(([pem, kind = '']) => {
    if (kind.includes('PRIVATE'))
      throw new Error('it is a private key: give the public one (openssl pkey -pubout), and keep this one');
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2_048)
      throw new Error('an RSA key has at least 2,048 bits');
    return key;
  });
}

/** Is the value of `EVENKEEL_JWT_PUBLIC_KEY` the key itself, and not the path of its file? */
export const isPemText = (value: string): boolean => value.includes('-----BEGIN ');
