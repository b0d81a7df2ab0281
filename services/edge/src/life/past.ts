import { type EdgeReply, isMeantBy, maxMovesInReply, maxPastInReply } from '@evenkeel/protocol';
import type { Told } from './happenings.js';

/** Of all sessions together, the newest: about a minute of an edge at which everybody comes back. */
const mostEvents = 20_000;
const mostMoves = 5_000;

type Past = NonNullable<EdgeReply['past']>;
type PastEvent = Past['events'][number];
type PastMove = Past['moves'][number];

/** Whose a session is, and its id. */
interface Who {
  readonly uid: string;
  readonly sid: string;
}

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
    this.#events.push(
      { uid, sid },
      {
        at: this.#wallNow(),
        kind: what,
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      },
    );
  }

  /** A planned move of it from here is over. */
  moved({ uid, sid }: Who, to: string, outcome: 'done' | 'failed' | 'timedOut' | 'pinned'): void {
    const at = this.#wallNow();
    const who = { uid, sid };
    if (outcome === 'done') this.#events.push(who, { at, kind: 'moved', reason: `to ${to}`.slice(0, 64) });
    this.#moves.push(who, { at, to, outcome: outcome === 'timedOut' ? 'timed-out' : outcome });
  }

  /** Of the session called so, `<uid>.<sid>` or a `<sid>` alone; undefined: nothing. */
  of(reference: string): Past | undefined {
    const isMeant = isMeantBy(reference);
    const who = this.#events.newest(isMeant) ?? this.#moves.newest(isMeant);
    if (who === undefined) return undefined;
    return {
      session: `${who.uid}.${who.sid}`,
      events: this.#events.newestOf(who, maxPastInReply),
      moves: this.#moves.newestOf(who, maxMovesInReply),
    };
  }
}

/** The last so many, by whom they are about. */
class Ring<T> {
  readonly #limit: number;
  readonly #all: { readonly who: Who; readonly value: T }[] = [];
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(who: Who, value: T): void {
    this.#all[this.#next] = { who, value };
    this.#next = (this.#next + 1) % this.#limit;
  }

  /** Whom the newest of those that are meant is about. */
  newest(isMeant: (who: Who) => boolean): Who | undefined {
    for (const { who } of this.#fromNewest()) if (isMeant(who)) return who;
    return undefined;
  }

  newestOf({ uid, sid }: Who, most: number): T[] {
    const found: T[] = [];
    for (const { who, value } of this.#fromNewest()) {
      if (found.length >= most) return found;
      if (who.sid === sid && who.uid === uid) found.push(value);
    }
    return found;
  }

  *#fromNewest(): IterableIterator<{ readonly who: Who; readonly value: T }> {
    const { length } = this.#all;
    for (let back = 1; back <= length; back += 1) {
      const each = this.#all[(this.#next - back + this.#limit) % this.#limit];
      if (each !== undefined) yield each;
    }
  }
}
