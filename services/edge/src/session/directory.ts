import { Groups } from '@evenkeel/pace';

/** What is listed: a session, or a stand-in for one. */
export interface Listed {
  /** `<uid>.<sid>` */
  readonly key: string;
  readonly claims: { readonly uid: string; readonly sid: string };
}

/** The sessions of this edge by `<uid>.<sid>`; the newest connection of each. */
export class Directory<S extends Listed> {
  readonly #byKey = new Map<string, S>();
  /** Everyone with an open connection, attached or not. */
  readonly #tracked = new Set<S>();
  readonly #byUser = new Groups<string, S>();
  readonly #trackedByUser = new Groups<string, S>();

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): S | undefined {
    return this.#byKey.get(key);
  }

  set(session: S): void {
    const { key, claims } = session;
    const older = this.#byKey.get(key);
    if (older !== undefined) this.#byUser.delete(claims.uid, older);
    this.#byKey.set(key, session);
    this.#byUser.add(claims.uid, session);
  }

  /** Removes `session` unless a newer one has taken its place. */
  remove(session: S): void {
    if (this.#byKey.get(session.key) !== session) return;
    this.#byKey.delete(session.key);
    this.#byUser.delete(session.claims.uid, session);
  }

  track(session: S): void {
    this.#tracked.add(session);
    this.#trackedByUser.add(session.claims.uid, session);
  }

  untrack(session: S): void {
    this.#tracked.delete(session);
    this.#trackedByUser.delete(session.claims.uid, session);
  }

  /** Sessions with an open connection, whatever their state. */
  tracked(): IterableIterator<S> {
    return this.#tracked.values();
  }

  values(): IterableIterator<S> {
    return this.#byKey.values();
  }

  ofUser(uid: string): S[] {
    return this.#byUser.of(uid);
  }

  /** Those of a user with an open connection, whatever their state. */
  trackedOf(uid: string): S[] {
    return this.#trackedByUser.of(uid);
  }

  /** By `<uid>.<sid>` or `<sid>` alone. */
  find(reference: string): S | undefined {
    if (reference.includes('.')) return this.#byKey.get(reference);
    for (const session of this.#byKey.values()) if (session.claims.sid === reference) return session;
    return undefined;
  }
}
