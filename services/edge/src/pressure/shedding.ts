import { closeCodes } from '@evenkeel/protocol';
import type { Session } from '../session/session.js';

/** Sockets closed at one look, which is once a second. */
const shedPerLook = 10;
/** With so much to read at two looks in a row a client is slow. */
const heavyBytes = 65_536;
/** How long it takes at most until what a closed socket held is free, ms: uWebSockets.js waits for a peer that is frozen. */
const settleMs = 20_000;

/** A session as it is weighed. */
export type Weighed = Pick<Session, 'close'> & {
  readonly connection: Pick<Session['connection'], 'isOpen'>;
  readonly outbox: Pick<Session['outbox'], 'bytes'>;
};

/**
 * Closes sockets of slow clients while memory is short, those with most to read first: they cost most, and hear of no move before they
 * have read all of it. Their events go back to their queues, and they resume elsewhere.
 */
export class Shedding {
  /** Sockets closed. */
  count = 0;
  #sinceMs: number | undefined;
  #hasClosed = false;
  #heavy: ReadonlySet<Weighed> = new Set();

  /** Memory is short. @returns whether others are to go as well: nobody is slow, or to close those has not helped. */
  look(sessions: Iterable<Weighed>, nowMs: number): boolean {
    this.#sinceMs ??= nowMs;
    const heavy = [...sessions]
      .map((session) => ({ session, bytes: session.outbox.bytes }))
      .filter(({ session, bytes }) => session.connection.isOpen && bytes >= heavyBytes);
    const slow = heavy.filter(({ session }) => this.#heavy.has(session)).sort((a, b) => b.bytes - a.bytes);
    for (const { session } of slow.slice(0, shedPerLook)) {
      session.close(closeCodes.drained);
      this.count += 1;
      this.#hasClosed = true;
    }
    this.#heavy = new Set(heavy.map(({ session }) => session));
    return (heavy.length === 0 && !this.#hasClosed) || nowMs - this.#sinceMs >= settleMs;
  }

  /** It is not. */
  rest(): void {
    this.#sinceMs = undefined;
    this.#hasClosed = false;
    this.#heavy = new Set();
  }
}
