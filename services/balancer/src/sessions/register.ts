import { Groups } from '@evenkeel/pace';
import { maxSessionsInMessage, type SessionsReport } from '@evenkeel/protocol';

/** Sessions known at most; further ones are left to RabbitMQ's own expiry if their edge dies. */
const maxSessions = 1_000_000;
/** Processes of edges known at most. */
const maxHolders = 10_000;
/** Who was asked for a list of all has it under way for this long, ms. */
const askAgainMs = 10_000;
/** What was offered is offered again after this, and after twice as long each time, ms. */
const offerAgainMs = { first: 10_000, longest: 600_000 };
/** Offered so often: somebody has it who does not report, and no edge that is there wants it. */
const maxOffers = 12;
/** An edge reports its sessions at least this often, ms. */
const reportEveryMs = 5_000;
/** A process that has nothing and is not heard of is forgotten after this, ms. */
const forgetHolderMs = 600_000;

/** One process of an edge. */
export interface Holder {
  readonly node: string;
  readonly boot: string;
}

interface Process extends Holder {
  seq: number;
  /** All that it has is known. */
  isComplete: boolean;
  /** Of the list that is under way; 0: none. */
  listing: number;
  lists: number;
  heardAtMs: number;
  askedAtMs: number;
}

interface Entry {
  holder: Process;
  epoch: number;
  /** Local time at which its lifetime ends; undefined: it has a connection. */
  endsAtMs: number | undefined;
  /** The list that has named it last. */
  list: number;
  offers: number;
  offeredAtMs: number;
}

/** Sessions of a process that is gone, for a living edge to see to. */
export interface Orphans extends Holder {
  readonly silentMs: number;
  readonly sessions: [string, number, number | null][];
}

export interface RegisterOptions {
  /** Whether this process is there, as far as is known. */
  isAlive(holder: Holder): boolean;
  /** Default 1,000,000. */
  maxSessions?: number;
}

/**
 * Which edge has which sessions, from what edges report: so that somebody sees to those of an edge that dies. Every balancer keeps
 * it, and none saves it: it is asked for. Takes the time as an argument; does no I/O.
 */
export class SessionRegister {
  /** Sessions not kept because there were too many. */
  overflowed = 0;
  readonly #options: RegisterOptions;
  readonly #limit: number;
  readonly #processes = new Map<string, Process>();
  readonly #entries = new Map<string, Entry>();
  /** Keys of entries by the user. */
  readonly #ofUser = new Groups<string, string>();
  /** By node: what it is to forget. */
  #toForget = new Map<string, Map<string, number>>();

  constructor(options: RegisterOptions) {
    this.#options = options;
    this.#limit = options.maxSessions ?? maxSessions;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether the process reports its sessions: earlier versions do not, and adopt none. */
  reports({ node, boot }: Holder): boolean {
    return this.#processes.has(nameOf(node, boot));
  }

  /** Whether all that the process has is known. */
  isKnown({ node, boot }: Holder): boolean {
    return this.#processes.get(nameOf(node, boot))?.isComplete === true;
  }

  /** A user's sessions, as `<uid>.<sid>`, that were last with processes other than `answered`. */
  elsewhere(uid: string, answered: readonly Holder[]): string[] {
    const here = new Set(answered.map(({ node, boot }) => nameOf(node, boot)));
    return this.#ofUser.of(uid).filter((key) => {
      const holder = this.#entries.get(key)?.holder;
      return holder !== undefined && !here.has(nameOf(holder.node, holder.boot));
    });
  }

  /** @returns whether it is to be asked for all that it has. */
  take(report: SessionsReport, nowMs: number): boolean {
    const holder = this.#processOf(report);
    if (holder === undefined) return false;
    const isNext = report.seq === holder.seq + 1;
    if (!isNext) {
      holder.isComplete = false;
      holder.listing = 0;
    }
    holder.seq = report.seq;
    holder.heardAtMs = nowMs;
    if (report.begins) {
      holder.lists += 1;
      holder.listing = holder.lists;
    }
    for (const [key, epoch] of report.held ?? []) this.#set(holder, key, epoch, undefined);
    for (const [key, epoch, leftMs] of report.away ?? []) this.#set(holder, key, epoch, nowMs + leftMs);
    for (const [key, epoch] of report.gone ?? []) this.#gone(key, epoch);
    if (report.ends && holder.listing > 0) this.#listed(holder);
    if (holder.isComplete || holder.listing > 0) return false;
    if (nowMs - holder.askedAtMs < askAgainMs) return false;
    holder.askedAtMs = nowMs;
    return true;
  }

  /** Reports may have been missed: nobody is known to the full. */
  doubt(): void {
    for (const holder of this.#processes.values()) holder.isComplete = false;
  }

  /** Sessions that edges are to forget since others have them, 500 at a time. */
  takeForgotten(): { node: string; sessions: [string, number][] }[] {
    const forgotten = this.#toForget;
    this.#toForget = new Map();
    return [...forgotten].flatMap(([node, sessions]) =>
      inPieces([...sessions]).map((piece) => ({ node, sessions: piece })),
    );
  }

  /** Sessions whose processes are gone and that have not been offered lately, 500 at a time. */
  orphans(nowMs: number): Orphans[] {
    const gone = new Map<Process, [string, number, number | null][]>();
    for (const [name, holder] of this.#processes) {
      // One that was heard just now may not have been seen in the statistics yet.
      const isHeard = nowMs - holder.heardAtMs < reportEveryMs + 1_000;
      if (isHeard || this.#options.isAlive(holder)) continue;
      if (nowMs - holder.heardAtMs > forgetHolderMs && !this.#hasAny(holder)) this.#processes.delete(name);
      else gone.set(holder, []);
    }
    if (gone.size === 0) return [];
    for (const [key, entry] of this.#entries) {
      const sessions = gone.get(entry.holder);
      if (sessions === undefined || nowMs < entry.offeredAtMs + pauseMs(entry.offers)) continue;
      entry.offers += 1;
      entry.offeredAtMs = nowMs;
      if (entry.offers > maxOffers) this.#drop(key);
      const leftMs = entry.endsAtMs === undefined ? null : Math.max(0, Math.round(entry.endsAtMs - nowMs));
      sessions.push([key, entry.epoch, leftMs]);
    }
    return [...gone].flatMap(([{ node, boot, heardAtMs }, sessions]) =>
      // It may have lived on for as long as it had nothing to report: none is to be ended too early.
      inPieces(sessions).map((piece) => ({
        node,
        boot,
        silentMs: Math.max(0, nowMs - heardAtMs - reportEveryMs),
        sessions: piece,
      })),
    );
  }

  /** Nobody has taken them: they are offered again at once. */
  returned({ sessions }: Pick<Orphans, 'sessions'>): void {
    for (const [key] of sessions) {
      const entry = this.#entries.get(key);
      if (entry) entry.offers = 0;
    }
  }

  #processOf({ node, boot }: Holder): Process | undefined {
    const name = nameOf(node, boot);
    const known = this.#processes.get(name);
    if (known !== undefined || this.#processes.size >= maxHolders) return known;
    const never = Number.NEGATIVE_INFINITY;
    const made: Process = {
      node,
      boot,
      seq: 0,
      isComplete: false,
      listing: 0,
      lists: 0,
      heardAtMs: never,
      askedAtMs: never,
    };
    this.#processes.set(name, made);
    return made;
  }

  #set(holder: Process, key: string, epoch: number, endsAtMs: number | undefined): void {
    const known = this.#entries.get(key);
    if (known !== undefined && !this.#replaces(holder, key, epoch, endsAtMs, known)) return;
    if (known === undefined && this.#entries.size >= this.#limit) {
      this.overflowed += 1;
      return;
    }
    const list = holder.lists;
    this.#entries.set(key, { holder, epoch, endsAtMs, list, offers: 0, offeredAtMs: 0 });
    this.#ofUser.add(uidOf(key), key);
  }

  #drop(key: string): void {
    this.#entries.delete(key);
    this.#ofUser.delete(uidOf(key), key);
  }

  /** The newest connection counts. Whoever else believes to have the session is told to forget it. */
  #replaces(
    holder: Process,
    key: string,
    epoch: number,
    endsAtMs: number | undefined,
    known: Entry,
  ): boolean {
    if (known.holder === holder) return true;
    const isNewer = epoch > known.epoch;
    const isOlder = epoch < known.epoch;
    // Of the same connection: a living edge that has it is right, else whoever has adopted it.
    const isRight = endsAtMs === undefined || !this.#options.isAlive(known.holder);
    if (isNewer || (!isOlder && isRight)) {
      if (known.endsAtMs !== undefined && this.#options.isAlive(known.holder))
        this.#forget(known.holder.node, key, epoch);
      return true;
    }
    if (endsAtMs !== undefined) this.#forget(holder.node, key, known.epoch);
    return false;
  }

  #forget(node: string, key: string, epoch: number): void {
    const sessions = this.#toForget.get(node) ?? new Map<string, number>();
    this.#toForget.set(node, sessions.set(key, epoch));
  }

  #gone(key: string, epoch: number): void {
    const known = this.#entries.get(key);
    if (known && known.epoch <= epoch) this.#drop(key);
  }

  /** What the list has not named is not there any more. */
  #listed(holder: Process): void {
    for (const [key, entry] of this.#entries)
      if (entry.holder === holder && entry.list < holder.listing) this.#drop(key);
    holder.listing = 0;
    holder.isComplete = true;
  }

  #hasAny(holder: Process): boolean {
    for (const entry of this.#entries.values()) if (entry.holder === holder) return true;
    return false;
  }
}

const uidOf = (key: string): string => key.slice(0, key.indexOf('.'));

const nameOf = (node: string, boot: string): string => `${node} ${boot}`;

const pauseMs = (offers: number): number =>
  offers === 0 ? 0 : Math.min(offerAgainMs.longest, offerAgainMs.first * 2 ** (offers - 1));

function inPieces<T>(all: readonly T[]): T[][] {
  const pieces: T[][] = [];
  for (let at = 0; at < all.length; at += maxSessionsInMessage)
    pieces.push(all.slice(at, at + maxSessionsInMessage));
  return pieces;
}
