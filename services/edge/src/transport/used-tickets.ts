/** Most tickets remembered; beyond it the oldest are forgotten first (they expire within seconds anyway). */
const maxTickets = 100_000;

/** Remembers which tickets have been used until they expire, so that each admits one connection. */
export class UsedTickets {
  // Insertion order is close to expiry order: all tickets live about as long.
  readonly #expiresAt = new Map<string, number>();

  /** True the first time `id` is seen. */
  use(id: string, expiresAt: number, nowMs: number): boolean {
    this.#forget(nowMs);
    if (this.#expiresAt.has(id)) return false;
    this.#expiresAt.set(id, expiresAt);
    return true;
  }

  #forget(nowMs: number): void {
    for (const [id, expiresAt] of this.#expiresAt) {
      if (expiresAt > nowMs && this.#expiresAt.size < maxTickets) return;
      this.#expiresAt.delete(id);
    }
  }
}
