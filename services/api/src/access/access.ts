import type { IncomingMessage } from 'node:http';
import { KeyedBuckets } from '@evenkeel/pace';
import { addressKey, Refusal } from '@evenkeel/runtime';
import type { Holder, Keys, Scope } from './keys.js';

/** Wrong keys from one address: so many at once, then so many a second; of so many addresses. */
const wrongKeys = { perSecond: 1, burst: 20, addresses: 10_000 } as const;

/** Who asks, and whether they may. */
export class Access {
  readonly #keys: Pick<Keys, 'holderOf' | 'isEmpty'>;
  readonly #now: () => number;
  readonly #onPaced: () => void;
  readonly #wrong = new KeyedBuckets(wrongKeys.perSecond, wrongKeys.burst, wrongKeys.addresses);

  constructor(keys: Pick<Keys, 'holderOf' | 'isEmpty'>, now: () => number, onPaced: () => void) {
    this.#keys = keys;
    this.#now = now;
    this.#onPaced = onPaced;
  }

  /** Who asks for what takes this scope. @throws Refusal */
  require({ headers }: IncomingMessage, scope: Scope, address: string): Holder {
    const [, key] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (key === undefined)
      throw new Refusal(401, 'no-key', 'send the key that you were given: Authorization: Bearer KEY', {
        'www-authenticate': 'Bearer',
      });
    const holder = this.#keys.holderOf(key);
    if (holder === undefined) throw this.#wrongKey(address);
    if (holder.scopes.has(scope)) return holder;
    throw new Refusal(403, 'forbidden', `the key ${holder.name} has no scope ${scope}; use one that has`);
  }

  #wrongKey(address: string): Refusal {
    const waitMs = this.#wrong.take(addressKey(address), this.#now());
    if (waitMs > 0) {
      this.#onPaced();
      const seconds = String(Math.ceil(waitMs / 1_000));
      const message = 'too many wrong keys from this address; come back after Retry-After seconds';
      return new Refusal(429, 'rate-limited', message, { 'retry-after': seconds });
    }
    const message = this.#keys.isEmpty
      ? 'nobody may ask: set EVENKEEL_API_KEYS (npx evenkeel api-key NAME --scope publish)'
      : 'there is no such key; check that all of it was pasted';
    return new Refusal(401, 'bad-key', message, { 'www-authenticate': 'Bearer error="invalid_token"' });
  }
}
