/** Tickets that expire within the same slot are forgotten together. */
const slotMs = 1_000;
const slotOf = (expiresAt: number): number => Math.ceil(expiresAt / slotMs);

/** `again`: it was used before. `full`: it cannot be remembered, so that it must not be admitted. */
export type Use = 'first' | 'again' | 'full';

/** Remembers which tickets have been used until they expire, however long that is, so that each admits one connection. */
export class UsedTickets {
  /** Ids by the slot in which they expire: tickets live for different times. */
  readonly #slots = new Map<number, Set<string>>();
  readonly #limit: number;
  #size = 0;
  #sweptSlot = 0;

  /** @param limit tickets remembered at a time; beyond it none is admitted. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  use(id: string, expiresAt: number, nowMs: number): Use {
    this.#forget(nowMs);
    const slot = slotOf(expiresAt);
    const ids = this.#slots.get(slot) ?? new Set();
    if (ids.has(id)) return 'again';
    if (this.#size >= this.#limit) return 'full';
    ids.add(id);
    this.#slots.set(slot, ids);
    this.#size += 1;
    return 'first';
  }

  /** Whether it has been used; changes nothing. */
  has(id: string, expiresAt: number): boolean {
    return this.#slots.get(slotOf(expiresAt))?.has(id) ?? false;
  }

  /** Once a slot: those that end before now hold nothing that could still be shown. */
  #forget(nowMs: number): void {
    const ended = Math.floor(nowMs / slotMs);
    if (ended === this.#sweptSlot) return;
    this.#sweptSlot = ended;
    for (const [slot, ids] of this.#slots) {
      if (slot > ended) continue;
      this.#slots.delete(slot);
      this.#size -= ids.size;
    }
  }
}
