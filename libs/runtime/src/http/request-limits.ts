import { KeyedBuckets } from '@evenkeel/pace';
import { addressKey, isLoopback } from '../client-address.js';
import { Refusal } from './answer.js';

/** How many requests one address, and one user, may make: `perSecond`, and `burst` at once. */
export interface RequestLimitRules {
  readonly address: { readonly perSecond: number; readonly burst: number };
  readonly user: { readonly perSecond: number; readonly burst: number };
  /** Whether this machine's own addresses are limited too. */
  readonly limitLoopback: boolean;
  /** Addresses, and users, that are remembered. Default 100,000 of each. */
  readonly maxRemembered?: number;
}

/** What one request counts for, and how much it leaves for others of its address. */
export interface RequestCost {
  readonly count: number;
  readonly kept: number;
}

/** Which limit a request has met. */
export type LimitedBy = 'address' | 'user';

/** Who is told to come back is spread over so many seconds at most. */
const maxSpreadSeconds = 30;

const one: RequestCost = { count: 1, kept: 0 };

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
    const { address, user, limitLoopback, maxRemembered } = rules;
    this.#rules = rules;
    this.#random = random;
    this.#addresses = new KeyedBuckets(address.perSecond, address.burst, maxRemembered);
    this.#users = new KeyedBuckets(user.perSecond, user.burst, maxRemembered);
    this.#limitLoopback = limitLoopback;
    this.#onLimited = onLimited;
  }

  /** One request from `address`. @throws Refusal 429 */
  address(address: string, nowMs: number): void {
    this.#refuse('address', this.addressWaitS(address, nowMs));
  }

  /** One request of `uid`, who is known by now. @throws Refusal 429 */
  user(uid: string, nowMs: number): void {
    this.#refuse('user', this.userWaitS(uid, nowMs));
  }

  /** One request from `address`, for who answers by itself: after how many seconds it is to come back; undefined: it may. */
  addressWaitS(address: string, nowMs: number, { count, kept }: RequestCost = one): number | undefined {
    if (!this.isLimited(address)) return undefined;
    return this.#waitS('address', this.#addresses.take(addressKey(address), nowMs, count, kept));
  }

  /** The same of a user. */
  userWaitS(uid: string, nowMs: number): number | undefined {
    return this.#waitS('user', this.#users.take(uid, nowMs));
  }

  /** Whether limits per address hold for it. */
  isLimited(address: string): boolean {
    return this.#limitLoopback || !isLoopback(address);
  }

  /** A crowd is spread over the time in which a burst becomes free again, or it would come back in one second. */
  #waitS(by: LimitedBy, waitMs: number): number | undefined {
    if (waitMs === 0) return undefined;
    this.#onLimited(by);
    const { perSecond, burst } = this.#rules[by];
    const spreadSeconds = Math.min(maxSpreadSeconds, burst / perSecond);
    return Math.ceil(waitMs / 1_000) + Math.floor(this.#random() * spreadSeconds);
  }

  #refuse(by: LimitedBy, waitS: number | undefined): void {
    if (waitS === undefined) return;
    throw new Refusal(429, 'rate-limited', messages[by], { 'retry-after': String(waitS) });
  }
}
