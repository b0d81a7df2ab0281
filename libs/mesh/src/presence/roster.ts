/** A session in a topic. Whose it is, its place in the roster says. */
export interface Present {
  readonly sid: string;
  /** Since when, ms since the epoch. */
  readonly since: number;
  /** What is told of it, as JSON text. */
  readonly info?: string | undefined;
}

/** Sessions by topic and user, from one source. */
export type Members = Map<string, Map<string, Present[]>>;

/** Puts it in, in the place of an earlier one of the same session. */
export function put(members: Members, topic: string, uid: string, present: Present): void {
  let users = members.get(topic);
  if (users === undefined) {
    users = new Map();
    members.set(topic, users);
  }
  const sessions = users.get(uid);
  if (sessions === undefined) users.set(uid, [present]);
  else {
    const at = sessions.findIndex(({ sid }) => sid === present.sid);
    if (at < 0) sessions.push(present);
    else sessions[at] = present;
  }
}

/** Takes it out; false: it was not in. */
function take(members: Members, topic: string, uid: string, sid: string): boolean {
  const users = members.get(topic);
  const sessions = users?.get(uid);
  const at = sessions?.findIndex((present) => present.sid === sid) ?? -1;
  if (users === undefined || sessions === undefined || at < 0) return false;
  sessions.splice(at, 1);
  if (sessions.length === 0) users.delete(uid);
  if (users.size === 0) members.delete(topic);
  return true;
}

/** All of them, flat. */
export function* each(members: Members): Generator<readonly [topic: string, uid: string, Present]> {
  for (const [topic, users] of members)
    for (const [uid, sessions] of users) for (const present of sessions) yield [topic, uid, present];
}

/** A user in a topic, from all sources together. */
export interface PresentTogether {
  readonly uid: string;
  readonly sessions: number;
  readonly since: number;
  /** Of the session that has the topic longest. */
  readonly info: string | undefined;
}

export interface RosterOptions {
  /** The first session of a user has joined the topic, or the last has left it, in the view of all sources together. */
  onChange?(topic: string, uid: string, isHere: boolean): void;
}

/**
 * Who is in which topic, from several sources that each say it of their own sessions. A session that two sources have, as in a move,
 * is one; a user is there while any source has a session of it.
 */
export class Roster {
  readonly #sources = new Map<string, Members>();
  /** Users by topic. */
  readonly #counts = new Map<string, number>();
  readonly #onChange: NonNullable<RosterOptions['onChange']>;

  constructor({ onChange = () => {} }: RosterOptions = {}) {
    this.#onChange = onChange;
  }

  /** Topics that somebody is in. */
  get topics(): number {
    return this.#counts.size;
  }

  /** Sessions in topics that this source has. */
  size(source: string): number {
    let sum = 0;
    for (const _ of each(this.membersOf(source))) sum += 1;
    return sum;
  }

  /** What one source has. */
  membersOf(source: string): Members {
    return this.#sources.get(source) ?? new Map();
  }

  put(source: string, topic: string, uid: string, present: Present): void {
    const isNew = !this.has(topic, uid);
    let members = this.#sources.get(source);
    if (members === undefined) {
      members = new Map();
      this.#sources.set(source, members);
    }
    put(members, topic, uid, present);
    if (!isNew) return;
    this.#counts.set(topic, this.count(topic) + 1);
    this.#onChange(topic, uid, true);
  }

  take(source: string, topic: string, uid: string, sid: string): void {
    const members = this.#sources.get(source);
    if (members === undefined || !take(members, topic, uid, sid) || this.has(topic, uid)) return;
    const left = this.count(topic) - 1;
    if (left > 0) this.#counts.set(topic, left);
    else this.#counts.delete(topic);
    this.#onChange(topic, uid, false);
  }

  /** The source has exactly these. Who is in both has not left meanwhile. */
  replace(source: string, members: Members): void {
    const before = this.membersOf(source);
    for (const [topic, uid, present] of each(members)) this.put(source, topic, uid, present);
    const gone = [...each(before)].filter(
      ([topic, uid, { sid }]) =>
        !members
          .get(topic)
          ?.get(uid)
          ?.some((present) => present.sid === sid),
    );
    for (const [topic, uid, { sid }] of gone) this.take(source, topic, uid, sid);
    if (members.size === 0) this.#sources.delete(source);
  }

  /** Users in the topic. */
  count(topic: string): number {
    return this.#counts.get(topic) ?? 0;
  }

  has(topic: string, uid: string): boolean {
    for (const members of this.#sources.values()) if (members.get(topic)?.has(uid)) return true;
    return false;
  }

  /** The session in the topic as a source other than `except` has it. */
  find(topic: string, uid: string, sid: string, except?: string): Present | undefined {
    for (const [source, members] of this.#sources) {
      if (source === except) continue;
      const found = members
        .get(topic)
        ?.get(uid)
        ?.find((present) => present.sid === sid);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** A user of the topic; undefined: not there. */
  user(topic: string, uid: string): PresentTogether | undefined {
    const sids = new Set<string>();
    let oldest: Present | undefined;
    for (const members of this.#sources.values()) {
      for (const present of members.get(topic)?.get(uid) ?? []) {
        sids.add(present.sid);
        if (oldest === undefined || isBefore(present, oldest)) oldest = present;
      }
    }
    return oldest && { uid, sessions: sids.size, since: oldest.since, info: oldest.info };
  }

  /** The users of a topic, in no particular order. */
  *of(topic: string): Generator<PresentTogether> {
    const seen = new Set<string>();
    for (const members of this.#sources.values()) {
      for (const uid of members.get(topic)?.keys() ?? []) {
        if (seen.has(uid)) continue;
        seen.add(uid);
        const user = this.user(topic, uid);
        if (user !== undefined) yield user;
      }
    }
  }
}

/** Of two sessions of a user: all that look agree. */
const isBefore = (a: Present, b: Present): boolean =>
  a.since < b.since || (a.since === b.since && a.sid < b.sid);
