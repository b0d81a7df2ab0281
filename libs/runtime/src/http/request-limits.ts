import { KeyedBuckets } from '@evenkeel/pace';
import { addressKey, isLoopback } from '../client-address.js';
import { Refusal } from './answer.js';

/** How many requests one address, and one user, may make: `perSecond`, and `burst` at once. */
export interface RequestLimitRules {
  readonly address: { readonly perSecond: number; readonly burst: number };
  readonly user: { readonly perSecond: number; readonly burst: number };
  /** Whether this machine's own addresses are limited too. */
  readonly limitLoopback: boolean;
}

/** Which limit a request has met. */
export type LimitedBy = 'address' | 'user';

/** Who is told to come back is spread over so many seconds at most. */
const maxSpreadSeconds = 30;

const messages = {
  address: 'too many requests from this address; come back after Retry-After seconds',
  user: 'too many requests of this user; come back after Retry-After seconds',
} as const;

/**
 * What one address and one user may ask of a service, before anything that others use too is touched. Takes the time as
 * an argument.
 */
export class RequestLimits {
  readonly #addresses: KeyedBuckets;
  readonly #users: KeyedBuckets;
  readonly #limitLoopback: boolean;
  readonly #onLimited: (by: LimitedBy) => void;
  readonly #random: () => number;
  readonly #rules: RequestLimitRules;

  constructor(rules: RequestLimitRules, onLimited: (by: LimitedBy) => void, random: () => number) {
    const { address, user, limitLoopback } = rules;
    this.#rules = rules;
    this.#random = random;
    this.#addresses = new KeyedBuckets(address.perSecond, address.burst);
    this.#users = new KeyedBuckets(user.perSecond, user.burst);
    this.#limitLoopback = limitLoopback;
    this.#onLimited = onLimited;
  }

  /** One request from `address`. @throws Refusal 429 */
  address(address: string, nowMs: number): void {
    if (!this.isLimited(address)) return;
    this.#check('address', this.#addresses.take(addressKey(address), nowMs));
  }

  /** One request of `uid`, who is known by now. @throws Refusal 429 */
  user(uid: string, nowMs: number): void {
    this.#check('user', this.#users.take(uid, nowMs));
  }

  /** Whether limits per address hold for it. */
  isLimited(address: string): boolean {
    return this.#limitLoopback || !isLoopback(address);
  }

  /** A crowd is spread over the time in which a burst becomes free again, or it would come back in one second. */
  #check(by: LimitedBy, waitMs: number): void {
    if (waitMs === 0) return;
    this.#onLimited(by);
    const { perSecond, burst } = this.#rules[by];
    const spreadSeconds = Math.min(maxSpreadSeconds, burst / perSecond);
    throw new Refusal(429, 'rate-limited', messages[by], {
      'retry-after': String(Math.ceil(waitMs / 1_000) + Math.floor(this.#random() * spreadSeconds)),
    });
  }
}
