import type { TicketClaims } from '@evenkeel/ticket';

/** A client that is back within this was brought back, ms. */
const rememberedMs = 60_000;
/** Clients remembered at most; the oldest is forgotten beyond it. */
const maxRemembered = 100_000;

/**
 * Bare clients that were closed with 1012, to come back elsewhere. Few say which session was theirs, so that they are known by
 * their user too.
 */
export class RecentlyLetGo {
  /** When, by session and by user; in the order of time. */
  readonly #atMs = new Map<string, number>();
  readonly #now: () => number;
  readonly #limit: number;

  constructor(now: () => number, limit = maxRemembered) {
    this.#now = now;
    this.#limit = limit;
  }

  letGo({ uid, sid }: Pick<TicketClaims, 'uid' | 'sid'>): void {
    for (const key of [`${uid}.${sid}`, uid]) {
      this.#atMs.delete(key);
      this.#atMs.set(key, this.#now());
    }
    this.#forget();
  }

  isBack({ uid, sid }: Pick<TicketClaims, 'uid' | 'sid'>): boolean {
    this.#forget();
    const isKnown = this.#atMs.delete(`${uid}.${sid}`);
    return this.#atMs.delete(uid) || isKnown;
  }

  #forget(): void {
    const oldestMs = this.#now() - rememberedMs;
    for (const [key, atMs] of this.#atMs) {
      if (atMs > oldestMs && this.#atMs.size <= 2 * this.#limit) return;
      this.#atMs.delete(key);
    }
  }
}
