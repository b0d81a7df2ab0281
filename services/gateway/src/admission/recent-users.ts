/** The users that have had a slot within the second that runs. Takes the time as an argument. */
export class RecentUsers {
  #second = Number.NEGATIVE_INFINITY;
  readonly #users = new Set<string>();

  add(uid: string, nowMs: number): void {
    this.#turn(nowMs);
    this.#users.add(uid);
  }

  has(uid: string, nowMs: number): boolean {
    this.#turn(nowMs);
    return this.#users.has(uid);
  }

  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second === this.#second) return;
    this.#second = second;
    this.#users.clear();
  }
}
