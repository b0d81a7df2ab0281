/** Furthest second that a refused client is given. */
export const maxRetryAfterSeconds = 60;
/** Part of a second's slots that is given to those who wait; the rest is for those who come anew. */
const bookable = 0.9;

/** What is booked of one second. */
interface Booked {
  /** Users that have no earlier booking; each counts once. */
  readonly firsts: string[];
  /** Further bookings of users who have one already. */
  readonly extras: string[];
}

/**
 * Spreads refused clients over the coming seconds, as a queue: each gets the first second that
 * has free slots. A user has one place in it: whatever else it asks for meanwhile queues behind that, in what the others leave
 * free, so that no user's flood makes another wait. Past the last second they are spread at random over its second half, and
 * nothing is remembered of them. Takes time and randomness as arguments.
 */
export class WaitingList {
  /** By second since the epoch. */
  readonly #booked = new Map<number, Booked>();
  /** The last second of each user that has one still to come. */
  readonly #lastOf = new Map<string, number>();

  /** Seconds after which this client is to come back, 1 to {@link maxRetryAfterSeconds}. */
  book(uid: string, nowMs: number, slotsPerSecond: number, random: () => number): number {
    const now = Math.floor(nowMs / 1_000);
    this.#forget(now);
    const slots = Math.max(1, Math.floor(slotsPerSecond * bookable));
    const last = this.#lastOf.get(uid);
    for (let second = (last ?? now) + 1; second <= now + maxRetryAfterSeconds; second++) {
      const { firsts, extras } = this.#at(second);
      const taken = last === undefined ? firsts.length : firsts.length + extras.length;
      if (taken >= slots) continue;
      (last === undefined ? firsts : extras).push(uid);
      this.#lastOf.set(uid, second);
      return second - now;
    }
    return maxRetryAfterSeconds - Math.floor((random() * maxRetryAfterSeconds) / 2);
  }

  /** How many have a second that has not come yet. */
  waiting(nowMs: number): number {
    this.#forget(Math.floor(nowMs / 1_000));
    let sum = 0;
    for (const { firsts, extras } of this.#booked.values()) sum += firsts.length + extras.length;
    return sum;
  }

  #at(second: number): Booked {
    const known = this.#booked.get(second);
    if (known !== undefined) return known;
    const booked: Booked = { firsts: [], extras: [] };
    this.#booked.set(second, booked);
    return booked;
  }

  #forget(now: number): void {
    for (const [second, { firsts, extras }] of this.#booked) {
      if (second > now) continue;
      this.#booked.delete(second);
      for (const uid of [...firsts, ...extras])
        if (this.#lastOf.get(uid) === second) this.#lastOf.delete(uid);
    }
  }
}
