import type { Leaving, Place, Who } from './members.js';

/** What an edge was told of a session that does not come is forgotten after this, ms. */
const toldMs = 60_000;
/** Of so many at most. */
const maxTold = 10_000;

interface Session {
  /** ms since the epoch. */
  readonly since: number;
  holds: number;
  /** Set while nobody holds it: when it goes. */
  goesAtMs: number | undefined;
}

export interface OnlineOptions {
  graceMs: number;
  /** Ms that take no step. */
  now(): number;
  /** Ms since the epoch. */
  wallNow(): number;
}

/** Which sessions are online here, and since when: over moves too, of which the edges tell each other. */
export class Online {
  readonly #options: OnlineOptions;
  readonly #users = new Map<string, Map<string, Session>>();
  readonly #leaving = new Map<Session, Who>();
  readonly #told = new Map<string, { readonly since: number; readonly atMs: number }>();

  constructor(options: OnlineOptions) {
    this.#options = options;
  }

  /** Another edge, which has let it go, has had it since then. */
  told({ uid, sid }: Who, since: number): void {
    const [oldest] = this.#told.keys();
    if (oldest !== undefined && this.#told.size >= maxTold) this.#told.delete(oldest);
    this.#told.set(`${uid}.${sid}`, { since, atMs: this.#options.now() });
  }

  /** A connection of it is attached here. */
  enter({ uid, sid }: Who): Place {
    const { now, wallNow } = this.#options;
    const users = this.#users.get(uid) ?? new Map<string, Session>();
    this.#users.set(uid, users);
    const told = this.#told.get(`${uid}.${sid}`);
    this.#told.delete(`${uid}.${sid}`);
    const since = told !== undefined && now() - told.atMs < toldMs ? told.since : wallNow();
    const session = users.get(sid) ?? { since, holds: 0, goesAtMs: undefined };
    users.set(sid, session);
    session.holds += 1;
    session.goesAtMs = undefined;
    this.#leaving.delete(session);
    let isHeld = true;
    return {
      leave: (how) => {
        if (!isHeld) return;
        isHeld = false;
        this.#leave(session, { uid, sid }, how);
      },
    };
  }

  /** Since when it is online; undefined: it is not here. */
  sinceOf({ uid, sid }: Who): number | undefined {
    return this.#users.get(uid)?.get(sid)?.since;
  }

  /** A user's sessions here, those in their grace included. */
  of(uid: string): [sid: string, since: number][] {
    return [...(this.#users.get(uid) ?? [])].map(([sid, { since }]) => [sid, since]);
  }

  /** Whose grace is over goes. */
  sweep(): void {
    const nowMs = this.#options.now();
    for (const [session, who] of this.#leaving) {
      if (session.goesAtMs === undefined || nowMs < session.goesAtMs) continue;
      this.#go(session, who);
    }
  }

  #leave(session: Session, who: Who, how: Leaving): void {
    session.holds -= 1;
    if (session.holds > 0) return;
    if (how === 'left') return this.#go(session, who);
    session.goesAtMs = this.#options.now() + this.#options.graceMs;
    this.#leaving.set(session, who);
  }

  #go(session: Session, { uid, sid }: Who): void {
    this.#leaving.delete(session);
    const sessions = this.#users.get(uid);
    if (sessions?.get(sid) !== session) return;
    sessions.delete(sid);
    if (sessions.size === 0) this.#users.delete(uid);
  }
}
