import { type EdgeReply, maxMovesInReply, maxPastInReply } from '@evenkeel/protocol';
import type { Told } from './happenings.js';

/** Of all sessions together, the newest: about a minute of an edge at which everybody comes back. */
const mostEvents = 20_000;
const mostMoves = 5_000;

type Past = NonNullable<EdgeReply['past']>;
type PastEvent = Past['events'][number];
type PastMove = Past['moves'][number];

/** What has happened to sessions here lately, for operators who look for one. */
export class SessionPast {
  readonly #wallNow: () => number;
  readonly #events = new Ring<PastEvent>(mostEvents);
  readonly #moves = new Ring<PastMove>(mostMoves);

  constructor(wallNow: () => number) {
    this.#wallNow = wallNow;
  }

  /** What applications are told too. */
  told({ what, uid, sid, reason, code }: Pick<Told, 'what' | 'uid' | 'sid' | 'reason' | 'code'>): void {
    this.#events.push(`${uid}.${sid}`, {
      at: this.#wallNow(),
      kind: what,
      ...(code === undefined ? {} : { code }),
      ...(reason === undefined ? {} : { reason }),
    });
  }

  /** A planned move of it from here is over. */
  moved(key: string, to: string, outcome: 'done' | 'failed' | 'timedOut' | 'pinned'): void {
    const at = this.#wallNow();
    if (outcome === 'done') this.#events.push(key, { at, kind: 'moved', reason: `to ${to}`.slice(0, 64) });
    this.#moves.push(key, { at, to, outcome: outcome === 'timedOut' ? 'timed-out' : outcome });
  }

  /** Of the session called so, `<uid>.<sid>` or a `<sid>` alone; undefined: nothing. */
  of(reference: string): Past | undefined {
    const key = this.#events.keyOf(reference) ?? this.#moves.keyOf(reference);
    if (key === undefined) return undefined;
    return {
      session: key,
      events: this.#events.newestOf(key, maxPastInReply),
      moves: this.#moves.newestOf(key, maxMovesInReply),
    };
  }
}

/** The last so many, by whom they are about. */
class Ring<T> {
  readonly #limit: number;
  readonly #all: { readonly key: string; readonly value: T }[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(key: string, value: T): void {
    this.#all[this.#next] = { key, value };
    this.#next = (this.#next + 1) % this.#limit;
  }

  /** The newest key that is meant. */
  keyOf(reference: string): string | undefined {
    const isMeant = (key: string) =>
      reference.includes('.') ? key === reference : key.endsWith(`.${reference}`);
    for (const { key } of this.#newest()) if (isMeant(key)) return key;
    return undefined;
  }

  newestOf(key: string, most: number): T[] {
    const found: T[] = [];
    for (const each of this.#newest()) {
      if (found.length >= most) return found;
      if (each.key === key) found.push(each.value);
    }
    return found;
  }

  *#newest(): IterableIterator<{ readonly key: string; readonly value: T }> {
    const { length } = this.#all;
    for (let back = 1; back <= length; back += 1) {
      const each = this.#all[(this.#next - back + this.#limit) % this.#limit];
      if (each !== undefined) yield each;
    }
  }
}
