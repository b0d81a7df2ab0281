import type { Entering, NewsOf, PresenceNews } from '@evenkeel/protocol';
import { type Members, put, type Roster } from './roster.js';

/** A process that was not heard of for this long is gone, and its members with it, ms. */
export const goneMs = 5_000;
/** A snapshot that has not come is asked for again after this, ms. */
const askAgainMs = 1_000;
/** Processes of which copies are kept at most; news of others is left unread. */
const maxCopies = 1_000;
/** Deltas that wait for a snapshot at most; beyond it they are dropped, which makes a hole of its own. */
const maxWaiting = 10_000;

export type Told = Exclude<PresenceNews, { t: 'sessions' }>;

/** What is missing of a copy. */
interface Hole {
  askedAtMs: number;
  /** By their numbers; what came since. */
  readonly waiting: Map<number, NewsOf<'delta'>>;
  /** Of the snapshot that comes in. */
  seq: number;
  readonly parts: Map<number, Entering>;
}

interface Copy {
  readonly node: string;
  readonly boot: string;
  /** Number of the last delta that it contains. */
  seq: number;
  heardAtMs: number;
  hole: Hole | undefined;
}

export interface CopiesOptions {
  roster: Pick<Roster, 'put' | 'take' | 'replace'>;
  /** Something of this process was missed: all that it has is to be sent. */
  ask(node: string, boot: string): void;
  /** A process has told of a session that it has it now: not where all that it has came as a snapshot. */
  onEntered?(topic: string, uid: string, sid: string): void;
}

/** Copies of what other processes say of their members, told apart by node and boot. Time is an argument. */
export class Copies {
  /** Snapshots that were asked for. */
  asked = 0;
  readonly #options: CopiesOptions;
  readonly #copies = new Map<string, Copy>();

  constructor(options: CopiesOptions) {
    this.#options = options;
  }

  /** Processes that are there. */
  get size(): number {
    return this.#copies.size;
  }

  /** Names of the nodes and boots that are there. */
  *sources(): Generator<{ readonly node: string; readonly boot: string; readonly isWhole: boolean }> {
    for (const { node, boot, hole } of this.#copies.values())
      yield { node, boot, isWhole: hole === undefined };
  }

  take(news: Told, nowMs: number): void {
    const copy = this.#copyOf(news, nowMs);
    if (copy === undefined) return;
    copy.heardAtMs = nowMs;
    if (news.t === 'delta') this.#delta(copy, news, nowMs);
    else if (news.t === 'snapshot') this.#snapshot(copy, news, nowMs);
    else if (news.seq > copy.seq && copy.hole === undefined) this.#ask(copy, nowMs);
  }

  /** Who was not heard of for too long is gone; what is missing still is asked for again. */
  sweep(nowMs: number): void {
    for (const [source, copy] of [...this.#copies]) {
      if (nowMs - copy.heardAtMs > goneMs) {
        this.#copies.delete(source);
        this.#options.roster.replace(source, new Map());
      } else if (copy.hole !== undefined && nowMs - copy.hole.askedAtMs >= askAgainMs) {
        this.#ask(copy, nowMs);
      }
    }
  }

  /** It was this process that did not hear: nobody is judged by the time until now. */
  excuse(nowMs: number): void {
    for (const copy of this.#copies.values()) copy.heardAtMs = nowMs;
  }

  #copyOf({ node, boot }: Told, nowMs: number): Copy | undefined {
    const source = sourceOf(node, boot);
    const known = this.#copies.get(source);
    if (known !== undefined || this.#copies.size >= maxCopies) return known;
    const copy: Copy = { node, boot, seq: 0, heardAtMs: nowMs, hole: undefined };
    this.#copies.set(source, copy);
    return copy;
  }

  #delta(copy: Copy, delta: NewsOf<'delta'>, nowMs: number): void {
    if (delta.seq <= copy.seq) return;
    if (copy.hole === undefined && delta.seq === copy.seq + 1) return this.#apply(copy, delta);
    if (copy.hole === undefined) this.#ask(copy, nowMs);
    const { waiting } = copy.hole ?? {};
    if (waiting === undefined) return;
    if (waiting.size >= maxWaiting) waiting.clear();
    waiting.set(delta.seq, delta);
  }

  #apply(copy: Copy, delta: NewsOf<'delta'>): void {
    const { roster, onEntered } = this.#options;
    const source = sourceOf(copy.node, copy.boot);
    copy.seq = delta.seq;
    // Who comes first: another session of a user may go in the same delta.
    for (const [topic, uid, present] of entries(delta.in)) {
      roster.put(source, topic, uid, present);
      onEntered?.(topic, uid, present.sid);
    }
    for (const [topic, sessions] of delta.out)
      for (const [uid, sid] of sessions) roster.take(source, topic, uid, sid);
  }

  #snapshot(copy: Copy, snapshot: NewsOf<'snapshot'>, nowMs: number): void {
    const { hole } = copy;
    if (hole === undefined || snapshot.seq < copy.seq || snapshot.seq < hole.seq) return;
    if (snapshot.seq > hole.seq) hole.parts.clear();
    hole.seq = snapshot.seq;
    hole.parts.set(snapshot.part, snapshot.in);
    if (hole.parts.size < snapshot.parts) return;
    const members: Members = new Map();
    for (const part of hole.parts.values())
      for (const [topic, uid, present] of entries(part)) put(members, topic, uid, present);
    copy.seq = snapshot.seq;
    copy.hole = undefined;
    this.#options.roster.replace(sourceOf(copy.node, copy.boot), members);
    for (const [, delta] of [...hole.waiting].sort(([a], [b]) => a - b)) this.#delta(copy, delta, nowMs);
  }

  #ask(copy: Copy, nowMs: number): void {
    copy.hole ??= { askedAtMs: nowMs, waiting: new Map(), seq: -1, parts: new Map() };
    copy.hole.askedAtMs = nowMs;
    this.asked += 1;
    this.#options.ask(copy.node, copy.boot);
  }
}

/** A process as a source of the roster. */
export const sourceOf = (node: string, boot: string): string => `${node} ${boot}`;

function* entries(entering: Entering) {
  for (const [topic, sessions] of entering)
    for (const [uid, sid, since, info] of sessions) yield [topic, uid, { sid, since, info }] as const;
}
