import { fetchWithin } from '@evenkeel/runtime';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** A key set is fetched again after this, ms, … */
const freshMs = 600_000;
/** … and what was fetched is used for this long where it cannot be, ms. */
const usableMs = 24 * 3_600_000;
/** For a key that is not in it, and after a failure, it is fetched no more often than this, ms. */
const coolDownMs = { fetched: 30_000, failed: 5_000 };
const timeoutMs = 5_000;
const maxBytes = 1_048_576;

/** The keys of the issuer are not to be had: nobody can say whether a token is good. */
export class KeysUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the keys of the issuer cannot be fetched at present', { cause });
    this.name = 'KeysUnavailableError';
  }
}

export interface RemoteKeySetOptions {
  /** Resolves to the key set as it is now. Default: over HTTPS, in 5 s, at most 1 MiB, without redirects. */
  fetchKeys?: (url: URL) => Promise<unknown>;
  nowMs?: () => number;
  /** It cannot be fetched; older keys are used as long as there are any. */
  onFailed?: (error: unknown) => void;
}

/**
 * The keys that an issuer publishes. Those fetched last go on counting while it is away, for a day at most: an outage of the
 * issuer locks nobody out. One fetch at a time, and after a failure not at once again, however many ask.
 */
export class RemoteKeySet {
  readonly #url: URL;
  readonly #options: Required<RemoteKeySetOptions>;
  #keys: { find: JWTVerifyGetKey; atMs: number } | undefined;
  #tried: { atMs: number; failure: unknown } | undefined;
  #fetching: Promise<void> | undefined;

  constructor(url: URL, options: RemoteKeySetOptions = {}) {
    this.#url = url;
    this.#options = { fetchKeys, nowMs: () => performance.now(), onFailed: () => {}, ...options };
  }

  /**
   * The key of a token. @throws KeysUnavailableError; JWKSNoMatchingKey where a set that was fetched lately does not have it.
   */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    const ageMs = this.#ageMs();
    if (ageMs === undefined || ageMs >= usableMs) await this.#refresh();
    else if (ageMs >= freshMs) void this.#refresh();
    try {
      return await this.#find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // The issuer may have got a new key.
      await this.#refresh();
      return await this.#find(header, token).catch((again: unknown) => {
        const failure = this.#tried?.failure;
        throw again instanceof errors.JWKSNoMatchingKey && failure !== undefined
          ? new KeysUnavailableError(failure)
          : again;
      });
    }
  };

  #ageMs(): number | undefined {
    return this.#keys && this.#options.nowMs() - this.#keys.atMs;
  }

  async #find(...args: Parameters<JWTVerifyGetKey>) {
    const ageMs = this.#ageMs();
    if (this.#keys === undefined || ageMs === undefined || ageMs >= usableMs)
      throw new KeysUnavailableError(this.#tried?.failure);
    return await this.#keys.find(...args);
  }

  /** Fetches the set, unless that was tried just now. Never rejects. */
  async #refresh(): Promise<void> {
    const { nowMs } = this.#options;
    if (this.#fetching !== undefined) return this.#fetching;
    const { atMs, failure } = this.#tried ?? { atMs: Number.NEGATIVE_INFINITY, failure: undefined };
    if (nowMs() - atMs < (failure === undefined ? coolDownMs.fetched : coolDownMs.failed)) return;
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    await this.#fetching;
  }

  async #fetch(): Promise<void> {
    const { fetchKeys: get, nowMs, onFailed } = this.#options;
    try {
      const find = createLocalJWKSet((await get(this.#url)) as JSONWebKeySet);
      this.#keys = { find, atMs: nowMs() };
      this.#tried = { atMs: nowMs(), failure: undefined };
    } catch (error) {
      this.#tried = { atMs: nowMs(), failure: error ?? new Error('unknown') };
      onFailed(error);
    }
  }
}

async function fetchKeys(url: URL): Promise<unknown> {
  const init = { headers: { accept: 'application/json' }, redirect: 'error' } as const;
  const { response, body } = await fetchWithin(url, init, { timeoutMs, maxBytes });
  if (!response.ok) throw new Error(`it answers ${response.status}`);
  if (body === undefined) throw new Error(`it has more than ${maxBytes} bytes`);
  return JSON.parse(body.toString('utf8'));
}
