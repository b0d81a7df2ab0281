import { each, type Present, type Roster } from '@evenkeel/mesh';
import type { Entering, NewsOf, PresentTuple } from '@evenkeel/protocol';

/** This edge's own members as a source of the roster. */
const ownSource = '';
/** A session that has moved is kept so long at most until its new edge has announced it, ms. */
const movedMs = 10_000;
/** Sessions in one message at most. */
const maxInMessage = 1_000;

/** How a session leaves a topic. `left`: for good. `lost`: its socket is gone, and it may come back. `moved`: to another edge. */
export type Leaving = 'left' | 'lost' | 'moved';

/** Whose it is. */
export interface Who {
  readonly uid: string;
  readonly sid: string;
}

/** A connection's hold on a place in a topic. */
export interface Place {
  /** Once, however often it is called. */
  leave(how: Leaving): void;
}

interface Own extends Who {
  readonly topic: string;
  /** Connections of the session that have the topic. */
  holds: number;
  /** Set while nobody holds it: when it goes. */
  goesAtMs: number | undefined;
  /** Until then it is kept if its new edge has not announced it. */
  keptUntilMs: number;
  /** Since it came here last, another edge has told that it has the session. */
  isElsewhere: boolean;
}

export interface OwnMembersOptions {
  roster: Roster;
  graceMs: number;
  /** Sessions in topics at most. */
  max: number;
  /** Ms that take no step. */
  now(): number;
  /** Ms since the epoch. */
  wallNow(): number;
}

/**
 * The members that this edge has: it alone says of them who comes and goes. A session that has lost its socket, or has moved, stays
 * for the grace.
 */
export class OwnMembers {
  /** Sessions that were not taken in: there were too many. */
  refused = 0;
  readonly #options: OwnMembersOptions;
  readonly #all = new Map<string, Own>();
  readonly #leaving = new Set<Own>();
  /** Since the last delta. */
  #changed = new Set<string>();
  #seq = 0;

  constructor(options: OwnMembersOptions) {
    this.#options = options;
  }

  /** Sessions in topics, those in their grace included. */
  get size(): number {
    return this.#all.size;
  }

  /** Those in their grace. */
  get leaving(): number {
    return this.#leaving.size;
  }

  /** Number of the last delta. */
  get seq(): number {
    return this.#seq;
  }

  /** A connection of the session has the topic now. `info`: JSON text. Undefined: there are too many. */
  enter(topic: string, { uid, sid }: Who, info: string | undefined): Place | undefined {
    const { roster, max, wallNow } = this.#options;
    const key = keyOf(topic, uid, sid);
    let own = this.#all.get(key);
    if (own === undefined) {
      if (this.#all.size >= max) {
        this.refused += 1;
        return undefined;
      }
      own = { topic, uid, sid, holds: 0, goesAtMs: undefined, keptUntilMs: 0, isElsewhere: false };
      this.#all.set(key, own);
    }
    // It may come from another edge, which knows since when it is there.
    const before = roster.find(topic, uid, sid);
    const mine = this.#own(topic, uid, sid);
    if (mine === undefined || mine.info !== info)
      roster.put(ownSource, topic, uid, { sid, since: before?.since ?? wallNow(), info });
    // That it is back here is news for the edge that has sent it.
    if (mine === undefined || mine.info !== info || own.goesAtMs !== undefined) this.#changed.add(key);
    own.holds += 1;
    own.goesAtMs = undefined;
    own.isElsewhere = false;
    this.#leaving.delete(own);
    return this.#place(own);
  }

  /**
   * Another edge has told of a session that it has it now. It says from then on whether the session is there: here it is not waited for
   * beyond the grace, even if it is gone from there when the grace ends.
   */
  enteredElsewhere(topic: string, uid: string, sid: string): void {
    const own = this.#all.get(keyOf(topic, uid, sid));
    if (own !== undefined) own.isElsewhere = true;
  }

  /** Whose grace is over goes. */
  sweep(): void {
    const nowMs = this.#options.now();
    for (const own of this.#leaving) {
      if (own.goesAtMs === undefined || nowMs < own.goesAtMs) continue;
      const { topic, uid, sid } = own;
      const isElsewhere =
        own.isElsewhere || this.#options.roster.find(topic, uid, sid, ownSource) !== undefined;
      if (isElsewhere || nowMs >= own.keptUntilMs) this.#go(own);
    }
  }

  /** What has changed since the last call, in messages of limited length. */
  *deltas(node: string, boot: string): Generator<NewsOf<'delta'>> {
    const keys = [...this.#changed];
    this.#changed = new Set();
    for (let at = 0; at < keys.length; at += maxInMessage) {
      const entering = new Map<string, PresentTuple[]>();
      const out = new Map<string, [string, string][]>();
      for (const key of keys.slice(at, at + maxInMessage)) {
        const [topic = '', uid = '', sid = ''] = key.split(' ');
        const present = this.#own(topic, uid, sid);
        if (present === undefined) listed(out, topic).push([uid, sid]);
        else listed(entering, topic).push(tupleOf(uid, present));
      }
      this.#seq += 1;
      yield { t: 'delta', node, boot, seq: this.#seq, in: [...entering], out: [...out] };
    }
  }

  /** All of them, as of the last delta: call it right after {@link deltas}. */
  *snapshot(node: string, boot: string): Generator<NewsOf<'snapshot'>> {
    const all = [...each(this.#options.roster.membersOf(ownSource))];
    const parts = Math.max(1, Math.ceil(all.length / maxInMessage));
    for (let part = 0; part < parts; part += 1) {
      const entering = new Map<string, PresentTuple[]>();
      for (const [topic, uid, present] of all.slice(part * maxInMessage, (part + 1) * maxInMessage))
        listed(entering, topic).push(tupleOf(uid, present));
      const inPart: Entering = [...entering];
      yield { t: 'snapshot', node, boot, seq: this.#seq, part, parts, in: inPart };
    }
  }

  #place(own: Own): Place {
    let isHeld = true;
    return {
      leave: (how) => {
        if (!isHeld) return;
        isHeld = false;
        own.holds -= 1;
        if (own.holds > 0) return;
        if (how === 'left') return this.#go(own);
        this.#leaves(own, how);
      },
    };
  }

  #leaves(own: Own, how: 'lost' | 'moved'): void {
    const { now, graceMs } = this.#options;
    own.goesAtMs = now() + graceMs;
    own.keptUntilMs = now() + (how === 'moved' ? Math.max(graceMs, movedMs) : graceMs);
    this.#leaving.add(own);
  }

  #go(own: Own): void {
    const { topic, uid, sid } = own;
    const key = keyOf(topic, uid, sid);
    this.#all.delete(key);
    this.#leaving.delete(own);
    this.#options.roster.take(ownSource, topic, uid, sid);
    this.#changed.add(key);
  }

  #own(topic: string, uid: string, sid: string): Present | undefined {
    return this.#options.roster
      .membersOf(ownSource)
      .get(topic)
      ?.get(uid)
      ?.find((present) => present.sid === sid);
  }
}

const keyOf = (topic: string, uid: string, sid: string): string => `${topic} ${uid} ${sid}`;

const tupleOf = (uid: string, { sid, since, info }: Present): PresentTuple =>
  info === undefined ? [uid, sid, since] : [uid, sid, since, info];

function listed<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) {
    list = [];
    map.set(key, list);
  }
  return list;
}
