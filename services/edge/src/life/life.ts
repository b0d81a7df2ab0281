import { LogLimit } from '@evenkeel/pace';
import { type Happening, logged } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';
import type { Endings, Outcome } from './ending.js';
import type { EndReason, Told } from './happenings.js';
import type { SessionPast } from './past.js';

/** Sessions without a connection that an edge sees to at most; the oldest is left to the broker's own expiry beyond it. */
const maxAway = 250_000;
/** Sessions that are being ended at a time. */
const maxEnding = 16;
/** What did not succeed is tried again after this, ms. */
const againMs = 2_000;
const sweepMs = 1_000;
const logEveryMs = 30_000;

/** A session's connection, as its ticket names it. */
export interface Who {
  readonly uid: string;
  readonly sid: string;
  readonly epoch: number;
}

/** A session as it stands at this edge. */
export interface Entry extends Who {
  /** Undefined: it has a connection here. */
  away: Away | undefined;
  /** Where it was before; it was adopted. */
  readonly adoptedFrom?: string | undefined;
  /** Applications were told here that it is away, because its edge had fallen silent. */
  isTakenForLost?: boolean;
}

interface Away {
  /** Since when, by the same clock as `endsAtMs`. */
  readonly sinceMs: number;
  /** When its time is over, by a clock that nobody sets. */
  endsAtMs: number;
  reason: EndReason;
  /** How often ending it has failed. */
  tries: number;
}

/** How a session was found that has been welcomed. */
export interface Welcomed {
  /** Its queue was there. */
  readonly isResumed: boolean;
  /** Who had it says that it was without a connection. */
  readonly wasAway?: boolean | undefined;
  /** It came by a planned move. */
  readonly isMove: boolean;
  /** What others are told of it, as JSON text. */
  readonly info?: string | undefined;
}

interface TellingOptions extends Pick<Told, 'reason' | 'isOnBehalf'> {
  readonly code?: number | undefined;
  readonly info?: string | undefined;
}

export interface LifeOptions {
  /** This edge. */
  node: string;
  lifetimeMs: number;
  /** Beyond it the oldest that is away is ended. */
  maxSessionsPerUser: number;
  endings: Pick<Endings, 'end'>;
  tell(told: Told): void;
  past?: Pick<SessionPast, 'told'>;
  /** Whether a connection of it is here, attached or not. */
  isHere(key: string): boolean;
  log: Pick<Log, 'warn'>;
  /** A clock that nobody sets. */
  steadyNow(): number;
}

const keyOf = ({ uid, sid }: Pick<Who, 'uid' | 'sid'>): string => `${uid}.${sid}`;

/**
 * The lives of sessions, as far as this edge has to do with them: tells applications what becomes of them, keeps those that have
 * lost their connection here, and ends them when their time is over.
 */
export class Life {
  /** Sessions that were not kept because too many were away. */
  forgotten = 0;
  /** Sessions ended before their time because their user had too many. */
  crowdedOut = 0;
  readonly #options: LifeOptions;
  readonly #entries = new Map<string, Entry>();
  /** Keys of each user's, those that changed last at the end. */
  readonly #ofUser = new Map<string, Set<string>>();
  readonly #ending = new Map<string, Promise<Outcome | undefined>>();
  readonly #failedLog = new LogLimit(logEveryMs);
  #away = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #onChange: (key: string, epoch: number) => void = () => {};

  constructor(options: LifeOptions) {
    this.#options = options;
  }

  /** Sessions without a connection that this edge is to end. */
  get away(): number {
    return this.#away;
  }

  /** Hears of each session that has changed: what it is now is {@link Life.get}. One listener. */
  onChange(fn: (key: string, epoch: number) => void): void {
    this.#onChange = fn;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** What is left of the lifetime of one that is away, ms. */
  leftOf({ endsAtMs }: Pick<Away, 'endsAtMs'>): number {
    return Math.max(0, Math.round(endsAtMs - this.#options.steadyNow()));
  }

  start(): void {
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  stop(): void {
    clearInterval(this.#sweeper);
  }

  // --- what happens to sessions here ---

  welcomed(who: Who, { isResumed, wasAway = false, isMove, info }: Welcomed): void {
    const before = this.#entries.get(keyOf(who));
    // A newer connection has taken the place of one here, which is lost by that.
    if (isResumed && before && !before.away) this.#tell('detached', before);
    this.#set({ uid: who.uid, sid: who.sid, epoch: who.epoch, away: undefined });
    this.#crowdOut(who.uid);
    const what = isResumed ? 'resumed' : 'opened';
    if (!isResumed || before || wasAway || !isMove) this.#tell(what, who, undefined, { info });
  }

  /** Its queue has gone and is a new one. */
  renewed(who: Who): void {
    if (this.#entries.get(keyOf(who))?.epoch === who.epoch) this.#tell('opened', who);
  }

  /** Its connection is lost, and this edge sees to it. `isTold`: applications know that it is away. `code`: it was closed with. */
  lost(who: Who, isTold = false, code?: number): void {
    const before = this.#entries.get(keyOf(who));
    if (before && before.epoch > who.epoch) return;
    if (before && !before.away) this.#tell('detached', before, undefined, { code });
    else if (!before && !isTold) this.#tell('detached', who, undefined, { code });
    this.#goesAway(who, this.#options.lifetimeMs);
  }

  /**
   * Another edge has it from here on. `resume`: it has come there by itself, so its connection here, if there is one, is lost.
   * @returns whether applications know it as away.
   */
  handedOver(key: string, epoch: number, mode: 'move' | 'resume'): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.epoch > epoch) return false;
    if (!entry.away && mode === 'resume') this.#tell('detached', entry);
    if (entry.epoch === epoch) this.#isBack(entry);
    this.#delete(key, entry.epoch);
    return entry.away !== undefined || mode === 'resume';
  }

  /** Others have them, with connections of this epoch or as old. */
  forget(sessions: readonly (readonly [string, number])[]): void {
    for (const [key, epoch] of sessions) {
      const entry = this.#entries.get(key);
      if (!entry?.away || entry.epoch > epoch || this.#ending.has(key)) continue;
      if (entry.epoch === epoch) this.#isBack(entry);
      this.#delete(key, entry.epoch);
    }
  }

  /** Nobody consumes it any more, and the edge that had it is gone. `leftMs`: undefined: it had a connection there. */
  adopted(who: Who, node: string, silentMs: number, leftMs: number | undefined): void {
    const before = this.#entries.get(keyOf(who));
    if (before && before.epoch >= who.epoch) return;
    if (leftMs === undefined) this.#tell('detached', who, node, { isOnBehalf: true });
    this.#goesAway(who, leftMs ?? this.#options.lifetimeMs - silentMs, node);
    const entry = this.#entries.get(keyOf(who));
    if (entry && leftMs === undefined) entry.isTakenForLost = true;
  }

  /** The session ends now. Resolves when it has, or when this has failed for now: then it is tried again by itself. */
  async end(who: Who, reason: EndReason): Promise<void> {
    const before = this.#entries.get(keyOf(who));
    if (before && before.epoch > who.epoch) return;
    this.#goesAway(who, 0, before?.adoptedFrom, reason);
    await this.#end(keyOf(who));
  }

  /** Sessions that this edge sees to without a connection: those meant, of one user where that is known. */
  awayOf(isMeant: (who: Who) => boolean, uid?: string): (Who & { readonly sinceMs: number })[] {
    const keys = uid === undefined ? this.#entries.keys() : (this.#ofUser.get(uid) ?? []);
    return [...keys].flatMap((key) => {
      const entry = this.#entries.get(key);
      if (!entry?.away || !isMeant(entry) || this.#options.isHere(key)) return [];
      return [{ uid: entry.uid, sid: entry.sid, epoch: entry.epoch, sinceMs: entry.away.sinceMs }];
    });
  }

  /** All of these sessions that are away from here end now; those that are still being let go, soon after they are. */
  endAway(isOfThem: (who: Who) => boolean, reason: EndReason): void {
    const theirs = [...this.#entries.values()].filter((entry) => entry.away && isOfThem(entry));
    for (const entry of theirs) {
      if (this.#options.isHere(keyOf(entry))) this.#goesAway(entry, 0, entry.adoptedFrom, reason);
      else void this.end(entry, reason);
    }
  }

  /** Pending while it is being ended here: whoever wants it waits. */
  ending(key: string): Promise<unknown> | undefined {
    return this.#ending.get(key);
  }

  // --- the end ---

  #sweep(): void {
    const { isHere, steadyNow } = this.#options;
    const nowMs = steadyNow();
    for (const [key, { away }] of this.#entries) {
      if (this.#ending.size >= maxEnding) return;
      if (away && away.endsAtMs <= nowMs && !this.#ending.has(key) && !isHere(key))
        void this.#end(key).then(() => this.#sweepOn());
    }
  }

  /** More are due than are ended at a time. */
  #sweepOn(): void {
    if (this.#sweeper !== undefined && this.#ending.size === maxEnding - 1) this.#sweep();
  }

  async #end(key: string): Promise<void> {
    const underWay = this.#ending.get(key);
    if (underWay) return void (await underWay);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const ending = this.#tryToEnd(entry);
    this.#ending.set(key, ending);
    const outcome = await ending;
    this.#ending.delete(key);
    if (this.#entries.get(key) !== entry || !entry.away) return;
    if (outcome === 'ended' || outcome === 'gone') {
      this.#tell('ended', entry, entry.adoptedFrom, { reason: entry.away.reason });
      this.#delete(key, entry.epoch);
    } else if (outcome === 'taken') this.#delete(key, entry.epoch);
    else {
      entry.away.tries += 1;
      // Two that race would race again.
      entry.away.endsAtMs = this.#options.steadyNow() + againMs * (0.5 + Math.random());
    }
  }

  async #tryToEnd(entry: Entry): Promise<Outcome | undefined> {
    try {
      return await this.#options.endings.end(entry, entry.away?.reason === 'expired' ? 'expired' : 'ended');
    } catch (error) {
      const suppressed = this.#failedLog.pass(performance.now());
      if (suppressed !== undefined)
        this.#options.log.warn({ err: error, ...logged(entry), suppressed }, 'session not ended yet');
      return undefined;
    }
  }

  /** Its edge was cut off for a while, and has had the connection all the time. */
  #isBack(entry: Entry): void {
    if (entry.away && entry.isTakenForLost)
      this.#tell('resumed', entry, entry.adoptedFrom, { isOnBehalf: true });
  }

  // --- entries ---

  #goesAway(who: Who, leftMs: number, adoptedFrom?: string, reason: EndReason = 'expired'): void {
    const { uid, sid, epoch } = who;
    const nowMs = this.#options.steadyNow();
    const sinceMs = this.#entries.get(keyOf(who))?.away?.sinceMs ?? nowMs;
    const endsAtMs = nowMs + Math.max(0, leftMs);
    this.#set({ uid, sid, epoch, away: { sinceMs, endsAtMs, reason, tries: 0 }, adoptedFrom });
    this.#crowdOut(uid);
    if (this.#away <= maxAway) return;
    for (const [key, entry] of this.#entries) {
      if (!entry.away) continue;
      this.forgotten += 1;
      return this.#delete(key, entry.epoch);
    }
  }

  /** A user has too many: the oldest that is away is over. */
  #crowdOut(uid: string): void {
    const keys = this.#ofUser.get(uid);
    const nowMs = this.#options.steadyNow();
    let over = (keys?.size ?? 0) - this.#options.maxSessionsPerUser;
    for (const key of keys ?? []) {
      if (over <= 0) return;
      const away = this.#entries.get(key)?.away;
      if (!away) continue;
      // Those that are due already go anyway.
      over -= 1;
      if (away.endsAtMs <= nowMs) continue;
      away.endsAtMs = nowMs;
      this.crowdedOut += 1;
    }
  }

  #set(entry: Entry): void {
    const key = keyOf(entry);
    this.#count(this.#entries.get(key), -1);
    // At its end: the oldest are found first.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#count(entry, 1);
    this.#list(entry.uid, key);
    this.#onChange(key, entry.epoch);
  }

  #delete(key: string, epoch: number): void {
    const entry = this.#entries.get(key);
    this.#count(entry, -1);
    this.#entries.delete(key);
    if (entry) this.#unlist(entry.uid, key);
    this.#onChange(key, epoch);
  }

  #list(uid: string, key: string): void {
    const keys = this.#ofUser.get(uid) ?? new Set();
    keys.delete(key);
    keys.add(key);
    this.#ofUser.set(uid, keys);
  }

  #unlist(uid: string, key: string): void {
    const keys = this.#ofUser.get(uid);
    keys?.delete(key);
    if (keys?.size === 0) this.#ofUser.delete(uid);
  }

  #count(entry: Entry | undefined, by: number): void {
    if (entry?.away) this.#away += by;
  }

  #tell(
    what: Happening,
    { uid, sid, epoch }: Who,
    node = this.#options.node,
    { reason, code, info, isOnBehalf }: TellingOptions = {},
  ): void {
    const told = {
      what,
      uid,
      sid,
      epoch,
      node,
      ...(reason === undefined ? {} : { reason }),
      ...(code === undefined ? {} : { code }),
      ...(info === undefined ? {} : { info }),
      ...(isOnBehalf === undefined ? {} : { isOnBehalf }),
    };
    this.#options.past?.told(told);
    this.#options.tell(told);
  }
}
