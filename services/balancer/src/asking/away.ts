import { asking } from '@evenkeel/protocol';

/** Users remembered at most. */
const maxUsers = 10_000;

/**
 * What is asked of users who are away. It stays in their queues over the end of its time, behind the seal, where only the head expires:
 * without a bound it would push their events out.
 */
export class AwayQuestions {
  readonly #asked = new Map<string, number>();

  /** Whether one more may be put to the user, and counts it. `isAway`: a session has no connection now. */
  mayAsk(uid: string, isAway: boolean): boolean {
    const asked = this.#asked.get(uid) ?? 0;
    this.#asked.delete(uid);
    if (!isAway) return true;
    this.#asked.set(uid, Math.min(asked + 1, asking.maxPerUser));
    for (const oldest of this.#asked.keys()) {
      if (this.#asked.size <= maxUsers) break;
      this.#asked.delete(oldest);
    }
    return asked < asking.maxPerUser;
  }
}
