import type { Session } from './session.js';

/** The sessions of this edge by `<uid>.<sid>`; the newest socket of each. */
export class Directory {
  readonly #byKey = new Map<string, Session>();
  /** Everyone with an open connection, attached or not. */
  readonly #tracked = new Set<Session>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Session | undefined {
    return this.#byKey.get(key);
  }

  set(session: Session): void {
    this.#byKey.set(session.key, session);
  }

  /** Removes `session` unless a newer one has taken its place. */
  remove(session: Session): void {
    if (this.#byKey.get(session.key) === session) this.#byKey.delete(session.key);
  }

  track(session: Session): void {
    this.#tracked.add(session);
  }

  untrack(session: Session): void {
    this.#tracked.delete(session);
  }

  /** Sessions with an open connection, whatever their state. */
  tracked(): IterableIterator<Session> {
    return this.#tracked.values();
  }

  values(): IterableIterator<Session> {
    return this.#byKey.values();
  }

  ofUser(uid: string): Session[] {
    return [...this.#byKey.values()].filter((session) => session.claims.uid === uid);
  }

  /** By `<uid>.<sid>` or `<sid>` alone. */
  find(reference: string): Session | undefined {
    if (reference.includes('.')) return this.#byKey.get(reference);
    for (const session of this.#byKey.values()) if (session.claims.sid === reference) return session;
    return undefined;
  }
}
