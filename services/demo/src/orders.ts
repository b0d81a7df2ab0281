import { randomUUID } from 'node:crypto';

/** An order as its event carries it. */
export interface Order {
  /** Numbers of different runs do not go together. */
  run: string;
  /** Counts from 1 per user and run, without gaps: the page checks that none is missing. */
  number: number;
  item: string;
  total: number;
}

/** Users served at most; the one that was seen longest ago goes. */
const maxUsers = 1_000;
/** How long a user gets orders after it was seen last. */
const keepMs = 60_000;
const items = ['compass', 'sextant', 'anchor chain', 'storm lantern', 'spare sail', 'log book', 'deck brush'];

const newRun = () => randomUUID().slice(0, 8);

/** Who gets orders, and which is next for each. Takes the time as an argument. */
export class Orders {
  #run = newRun();
  readonly #users = new Map<string, { seenAtMs: number; number: number }>();

  /** Numbers begin at 1 again, as of another run. */
  renumber(): void {
    this.#run = newRun();
    for (const entry of this.#users.values()) entry.number = 0;
  }

  /** The user is there: it gets orders for a minute. */
  see(user: string, nowMs: number): void {
    const number = this.#users.get(user)?.number ?? 0;
    // Taken out first: the map is in the order of last seeing.
    this.#users.delete(user);
    this.#users.set(user, { seenAtMs: nowMs, number });
    const [oldest] = this.#users.keys();
    if (this.#users.size > maxUsers && oldest !== undefined) this.#users.delete(oldest);
  }

  /** One more order for every user seen lately. */
  next(nowMs: number): { user: string; order: Order }[] {
    const due: { user: string; order: Order }[] = [];
    for (const [user, entry] of this.#users) {
      if (nowMs - entry.seenAtMs >= keepMs) continue;
      entry.number += 1;
      due.push({ user, order: this.#order(entry.number) });
    }
    return due;
  }

  #order(number: number): Order {
    const item = items[number % items.length] ?? 'compass';
    return { run: this.#run, number, item, total: 20 + ((number * 37) % 180) };
  }
}
