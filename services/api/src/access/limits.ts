import { KeyedBuckets } from '@evenkeel/pace';
import { Refusal } from '@evenkeel/runtime';

export interface LimitRules {
  readonly perSecond: number;
  readonly burst: number;
  /** Of one key; of all together {@link allKeys} times as many. */
  readonly maxOpen: number;
}

/** Requests of all keys together, in those of one. */
const allKeys = 4;

/** What one key may ask at the same time, and how often. Takes the time as an argument. */
export class KeyLimits {
  readonly #rules: LimitRules;
  readonly #onLimited: (limit: 'key' | 'open') => void;
  readonly #rates: KeyedBuckets;
  readonly #open = new Map<string, number>();
  #allOpen = 0;

  constructor(rules: LimitRules, onLimited: (limit: 'key' | 'open') => void) {
    this.#rules = rules;
    this.#onLimited = onLimited;
    this.#rates = new KeyedBuckets(rules.perSecond, rules.burst);
  }

  /** Requests that are being answered. */
  get open(): number {
    return this.#allOpen;
  }

  /** `count` requests of a key at once, or as many as a burst has. @throws Refusal 429 */
  take(name: string, nowMs: number, count = 1): void {
    const waitMs = this.#rates.take(name, nowMs, Math.min(count, this.#rules.burst));
    if (waitMs === 0) return;
    this.#onLimited('key');
    const seconds = String(Math.ceil(waitMs / 1_000));
    const message = `too many requests of the key ${name}; come back after Retry-After seconds`;
    throw new Refusal(429, 'rate-limited', message, { 'retry-after': seconds });
  }

  /** A request of a key begins. Call what is returned when it has been answered. @throws Refusal 429 */
  enter(name: string): () => void {
    const { maxOpen } = this.#rules;
    const open = this.#open.get(name) ?? 0;
    if (open >= maxOpen || this.#allOpen >= maxOpen * allKeys) {
      this.#onLimited('open');
      const message = `${open >= maxOpen ? open : this.#allOpen} requests are being answered; come back when one of them has been`;
      throw new Refusal(429, 'too-many-open', message, { 'retry-after': '1' });
    }
    this.#open.set(name, open + 1);
    this.#allOpen += 1;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#allOpen -= 1;
      const left = (this.#open.get(name) ?? 1) - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
    };
  }
}
