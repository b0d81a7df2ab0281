import { createHash, randomBytes } from 'node:crypto';
import type { Holder } from './tokens.js';

/** How long a login counts, ms. */
export const sessionLifetimeMs = 12 * 3_600_000;
/** Logins at the same time; with a further one the oldest ends. */
const maxSessions = 1_000;
/** The same of one token, so that nobody can end everybody's. */
const maxSessionsOfOne = 20;

interface Session extends Holder {
  readonly endsAtMs: number;
}

/** Logins, in memory alone: a restart ends them all. Takes the time as an argument. */
export class Sessions {
  /** By the hash of the id that the cookie holds, in the order of their beginning. */
  readonly #sessions = new Map<string, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Begins one. @returns its id, for the cookie. */
  begin({ name, role }: Holder, nowMs: number): string {
    this.#forget(nowMs);
    const own = [...this.#sessions].filter(([, session]) => session.name === name);
    const [oldest] = own.length >= maxSessionsOfOne ? own : [...this.#sessions];
    if (oldest !== undefined && (own.length >= maxSessionsOfOne || this.#sessions.size >= maxSessions))
      this.#sessions.delete(oldest[0]);
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(keyOf(id), { name, role, endsAtMs: nowMs + sessionLifetimeMs });
    return id;
  }

  /** Who has logged in with this id. */
  find(id: string, nowMs: number): Holder | undefined {
    const session = this.#sessions.get(keyOf(id));
    return session === undefined || session.endsAtMs <= nowMs ? undefined : session;
  }

  end(id: string): void {
    this.#sessions.delete(keyOf(id));
  }

  #forget(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#sessions) if (endsAtMs <= nowMs) this.#sessions.delete(key);
  }
}

/** What lies in memory lets nobody in. */
const keyOf = (id: string): string => createHash('sha256').update(id).digest('base64');
