import { type DenialRecord, maxDenials, splitSessionRef } from '@evenkeel/protocol';

/** A session as it may be denied: by its user, by its id, or by both. */
export interface Deniable {
  readonly uid: string;
  /** Undefined: a session that has no id yet. */
  readonly sid: string | undefined;
}

/** Who is kept out, until when. */
export interface Denied {
  readonly user?: string;
  readonly session?: string;
  readonly untilMs: number;
}

const userSubject = (uid: string): string => `u ${uid}`;
const sessionSubject = (ref: string): string => `s ${ref}`;

const subjectOf = ({ user, session }: { user?: string | undefined; session?: string | undefined }): string =>
  user === undefined ? sessionSubject(session ?? '') : userSubject(user);

/**
 * Who is kept out, as the records say that were applied in their order: of a user or a session the newest counts. Takes the time
 * as an argument.
 */
export class DenialList {
  readonly #untilMs = new Map<string, number>();
  /** What the records were about, whatever they said; undefined once nobody will ask. */
  #named: Set<string> | undefined = new Set();
  readonly #limit: number;

  /** @param limit denials held at most; beyond it a record changes nothing. */
  constructor(limit: number = maxDenials) {
    this.#limit = limit;
  }

  /** How many are in force. Drops those that are not: it costs no more than what is held. */
  count(nowMs: number): number {
    this.#dropExpired(nowMs);
    return this.#untilMs.size;
  }

  /** Returns false where there is no room for it. */
  apply(record: DenialRecord, nowMs: number): boolean {
    if (record.kind === 'forget') {
      this.#forget(record.user);
      return true;
    }
    const subject = subjectOf(record);
    this.#named?.add(subject);
    this.#untilMs.delete(subject);
    if (record.kind === 'allow' || record.untilMs <= nowMs) return true;
    if (!this.hasRoom(nowMs)) return false;
    this.#untilMs.set(subject, record.untilMs);
    return true;
  }

  /** Whether it is in force with this very end: nothing has been said about it since. */
  holds(denied: Denied, nowMs: number): boolean {
    return denied.untilMs > nowMs && this.#untilMs.get(subjectOf(denied)) === denied.untilMs;
  }

  /** Whether one more denial would be held. */
  hasRoom(nowMs: number): boolean {
    if (this.#untilMs.size >= this.#limit) this.#dropExpired(nowMs);
    return this.#untilMs.size < this.#limit;
  }

  denies({ uid, sid }: Deniable, nowMs: number): boolean {
    if (this.#untilMs.size === 0) return false;
    if (this.#isInForce(userSubject(uid), nowMs)) return true;
    if (sid === undefined) return false;
    return (
      this.#isInForce(sessionSubject(sid), nowMs) || this.#isInForce(sessionSubject(`${uid}.${sid}`), nowMs)
    );
  }

  /** Those that are in force. */
  *inForce(nowMs: number): Generator<Denied> {
    for (const [subject, untilMs] of this.#untilMs) {
      if (untilMs <= nowMs) continue;
      const name = subject.slice(2);
      yield subject.startsWith('u ') ? { user: name, untilMs } : { session: name, untilMs };
    }
  }

  /**
   * Takes over what is in force in `older` and what no record was about that this one has been told. Returns it. Nothing after
   * {@link DenialList.forgetNames}.
   */
  keepFrom(older: DenialList, nowMs: number): Denied[] {
    const kept: Denied[] = [];
    const named = this.#named;
    if (named === undefined) return kept;
    for (const denied of older.inForce(nowMs)) {
      const subject = subjectOf(denied);
      const owner = denied.session === undefined ? undefined : splitSessionRef(denied.session).uid;
      const isNamed = named.has(subject) || (owner !== undefined && named.has(`f ${owner}`));
      if (isNamed || (denied.user !== undefined && named.has(`f ${denied.user}`))) continue;
      if (!this.hasRoom(nowMs)) break;
      this.#untilMs.set(subject, denied.untilMs);
      kept.push(denied);
    }
    return kept;
  }

  /** What records were about is of no interest once all of them were told, nor what those to come are about. */
  forgetNames(): void {
    this.#named = undefined;
  }

  #forget(uid: string): void {
    this.#named?.add(`f ${uid}`);
    this.#untilMs.delete(userSubject(uid));
    for (const subject of this.#untilMs.keys()) {
      if (subject.startsWith('s ') && splitSessionRef(subject.slice(2)).uid === uid)
        this.#untilMs.delete(subject);
    }
  }

  #isInForce(subject: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(subject);
    return untilMs !== undefined && nowMs < untilMs;
  }

  #dropExpired(nowMs: number): void {
    for (const [subject, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(subject);
  }
}
