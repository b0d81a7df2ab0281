/** Furthest second that a refused client is given. */
export const maxRetryAfterSeconds = 60;
/** Part of a second's slots that is given to those who wait; the rest is for those who come anew. */
const bookable = 0.9;

/**
 * Spreads refused clients over the coming seconds, as a queue: each gets the first second that
 * has free slots. Bookings are counts per second, so the list has a fixed size whatever the
 * crowd. Past the last second they are spread at random over its second half. Takes time and randomness as
 * arguments.
 */
export class WaitingList {
  /** Bookings by second since the epoch. */
  readonly #booked = new Map<number, number>();

  /** Seconds after which this client is to come back, 1 to {@link maxRetryAfterSeconds}. */
  book(nowMs: number, slotsPerSecond: number, random: () => number): number {
    const second = Math.floor(nowMs / 1_000);
    this.#forget(second);
    const slots = Math.max(1, Math.floor(slotsPerSecond * bookable));
    for (let after = 1; after <= maxRetryAfterSeconds; after++) {
      const booked = this.#booked.get(second + after) ?? 0;
      if (booked >= slots) continue;
      this.#booked.set(second + after, booked + 1);
      return after;
    }
    return maxRetryAfterSeconds - Math.floor((random() * maxRetryAfterSeconds) / 2);
  }

  /** How many have a second that has not come yet. */
  waiting(nowMs: number): number {
    this.#forget(Math.floor(nowMs / 1_000));
    let sum = 0;
    for (const booked of this.#booked.values()) sum += booked;
    return sum;
  }

  #forget(second: number): void {
    for (const booked of this.#booked.keys()) if (booked <= second) this.#booked.delete(booked);
  }
}
