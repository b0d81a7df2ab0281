/** A user comes or goes: who watches may see it from `fromMs` on, and has to by `byMs`. */
export interface Turn {
  readonly isHere: boolean;
  readonly fromMs: number;
  readonly byMs: number;
}

/** A session was without a socket for longer than the mesh promises to wait: meanwhile its user may have been seen to go and come. */
export interface Excuse {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A user who is there, as a view has to show it. */
export interface Member {
  readonly sessions: number;
  readonly info: unknown;
}

/** All that is known of one user. */
export interface Life {
  readonly turns: readonly Turn[];
  readonly excuses: readonly Excuse[];
}

interface Person {
  readonly info: unknown;
  readonly sessions: Set<string>;
  readonly away: Map<string, { readonly atMs: number; readonly allowedMs: number }>;
  readonly turns: { isHere: boolean; fromMs: number; byMs: number }[];
  readonly excuses: Excuse[];
  /** The latest of its sessions that leave may be seen until then. */
  lastFromMs: number;
  lastByMs: number;
}

/** Who is in by the log of what was done. Time is an argument; a user who has left does not come again. */
export class Truth {
  readonly #lateMs: number;
  readonly #people = new Map<string, Person>();

  /** `lateMs`: how long a change may take until everybody sees it. */
  constructor(lateMs: number) {
    this.#lateMs = lateMs;
  }

  /** A session of the user is about to enter. */
  enters(user: string, session: string, info: unknown, atMs: number): void {
    const person: Person = this.#people.get(user) ?? {
      info,
      sessions: new Set(),
      away: new Map(),
      turns: [],
      excuses: [],
      lastFromMs: 0,
      lastByMs: 0,
    };
    this.#people.set(user, person);
    person.sessions.add(session);
    if (person.turns.length === 0)
      person.turns.push({ isHere: true, fromMs: atMs, byMs: Number.POSITIVE_INFINITY });
  }

  /** The mesh has said that it is in. */
  entered(user: string, atMs: number): void {
    const [first] = this.#people.get(user)?.turns ?? [];
    if (first !== undefined) first.byMs = Math.min(first.byMs, atMs + this.#lateMs);
  }

  /** It leaves for good, to be seen from `fromMs` on and by `byMs` at the latest. */
  leaves(user: string, session: string, fromMs: number, byMs = fromMs + this.#lateMs): void {
    const person = this.#people.get(user);
    if (person === undefined || !person.sessions.delete(session)) return;
    person.away.delete(session);
    person.lastFromMs = Math.max(person.lastFromMs, fromMs);
    person.lastByMs = Math.max(person.lastByMs, byMs);
    if (person.sessions.size > 0) return;
    person.turns.push({ isHere: false, fromMs: person.lastFromMs, byMs: person.lastByMs });
  }

  /** It has lost its socket and comes back; it is waited for at least `allowedMs`. */
  away(user: string, session: string, atMs: number, allowedMs: number): void {
    const person = this.#people.get(user);
    if (person?.sessions.has(session) && !person.away.has(session))
      person.away.set(session, { atMs, allowedMs });
  }

  /** It has a socket again. Answers whether that was in time; undefined: it was not away. */
  back(user: string, session: string, atMs: number): boolean | undefined {
    const person = this.#people.get(user);
    const gone = person?.away.get(session);
    if (person === undefined || gone === undefined) return undefined;
    person.away.delete(session);
    const fromMs = gone.atMs + gone.allowedMs;
    if (atMs <= fromMs) return true;
    person.excuses.push({ fromMs, untilMs: atMs + this.#lateMs });
    return false;
  }

  /** Sessions that are to come back and have not. */
  get awaited(): number {
    return [...this.#people.values()].reduce((sum, { away }) => sum + away.size, 0);
  }

  /** Who is in now. */
  members(): Map<string, Member> {
    const members = new Map<string, Member>();
    for (const [user, { sessions, info }] of this.#people)
      if (sessions.size > 0) members.set(user, { sessions: sessions.size, info });
    return members;
  }

  lives(): ReadonlyMap<string, Life> {
    return this.#people;
  }
}
