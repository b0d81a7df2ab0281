import { type GapReason, gapReasons } from '@evenkeel/protocol';
import type { Position } from './position.js';
import type { SealLeft } from './vouch.js';
import type { LeftWritten } from './written-before.js';

/** Sessions remembered at most; the oldest is forgotten beyond it. */
const maxRemembered = 100_000;
/** So long it is believed that a seal is on its way, and that nothing was dropped of which this edge has not heard, ms. */
const watchedMs = 60_000;

/** The head of a session's queue, as who had it last left it. */
export interface Left extends LeftWritten {
  /** What had been written to the last connection; undefined: that is not known for certain. */
  readonly position?: Position;
  /** The number of its queue; undefined: 0. */
  readonly generation?: number;
  /** The broker that it was made at, if that is known. */
  readonly home?: string;
  /** A gap that its client has not been told. */
  readonly owed?: SealLeft['owed'];
  /** Where that is, or behind how many deliveries the seal is; undefined: at the head. */
  readonly seal?: SealLeft['seal'];
}

/** Counts times from which on something may have been dropped without word of it. */
interface Doubts {
  readonly doubts: number;
}

/** Put back from elsewhere it is marked; one that is planted only now proves nothing. */
const lookedFor = ({ behind }: NonNullable<Left['seal']>): NonNullable<Left['seal']> => ({ behind });

type Undefinable<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** How an edge has let a session go. */
export interface LetGo
  extends Undefinable<Pick<Left, 'suspect' | 'ids' | 'generation' | 'home' | 'owed' | 'seal'>> {
  readonly position: Position | undefined;
  /** What was written is in the queue until its client is back. */
  readonly isLasting: boolean;
}

/** As another edge says that it has let it go: just now, it does not say whether what was written stays in the queue. */
export const letGoBy = (
  said: Omit<LetGo, 'isLasting' | 'position'>,
  position: LetGo['position'],
  isJustNow: boolean,
): LetGo => ({
  ...said,
  position,
  isLasting: !isJustNow,
});

/**
 * Which events of sessions that have lost their sockets their clients may have. Mostly an edge has let a session go before its client is
 * back, so nobody asks it then; who has the session next is told, once: after that the queue's head may be another, though its client
 * still names the same connection.
 */
export class LeftBehind {
  readonly #left = new Map<string, Left & { readonly atMs: number; readonly doubts: number }>();
  readonly #lifetimeMs: number;
  readonly #drops: Doubts;
  readonly #now: () => number;
  readonly #limit: number;

  /** `lifetimeMs`: of a session without a socket; `now`: a clock that nobody sets, ms. */
  constructor(lifetimeMs: number, drops: Doubts, now: () => number, limit = maxRemembered) {
    this.#lifetimeMs = lifetimeMs;
    this.#drops = drops;
    this.#now = now;
    this.#limit = limit;
  }

  /**
   * A session was let go. `key`: `<uid>.<sid>`; `isWatched`: this edge has heard of all that was dropped since, and would hear if its queue
   * were lost.
   */
  note(key: string, letGo: LetGo, isWatched = true): void {
    const { position, isLasting, suspect, ids, generation, home, owed, seal } = letGo;
    this.#left.delete(key);
    const written = position && isLasting ? { position, suspect } : undefined;
    const where = { ...(generation && { generation }), ...(home && { home }) };
    const place = seal?.at === undefined ? seal : isWatched ? { ...seal, isWatched } : lookedFor(seal);
    const isToBeKnown = owed !== undefined || place?.at !== undefined || (place?.behind ?? 0) > 0;
    const sealed = isToBeKnown && { ...(owed && { owed }), ...(place && { seal: place }) };
    const known = { ...written, ...(ids && { ids }), ...where, ...sealed };
    const { doubts } = this.#drops;
    if (Object.keys(known).length > 0)
      this.#left.set(key, { suspect: undefined, ...known, atMs: this.#now(), doubts });
    const oldestMs = this.#now() - this.#lifetimeMs;
    for (const [oldest, { atMs }] of this.#left) {
      if (atMs > oldestMs && this.#left.size <= this.#limit) return;
      this.#left.delete(oldest);
    }
  }

  /** Something was dropped from its queue, or a later one of it: no seal that comes only now would show that. */
  dropped(key: string, why: GapReason, generation = Number.POSITIVE_INFINITY): void {
    const left = this.#left.get(key);
    if (left?.seal?.at === undefined || generation < (left.generation ?? 0) || this.#isOld(left)) return;
    const { seal: _, ...known } = left;
    this.#left.set(key, { ...known, owed: left.owed ?? why });
  }

  /** Who has the session now has it from this edge, and knows what its client is to be told. */
  passedOn(key: string): void {
    const left = this.#left.get(key);
    if (left === undefined) return;
    const { owed: _, seal: __, ...known } = left;
    this.#left.set(key, known);
  }

  /** For who is about to have the session, and takes it once it has. */
  of(key: string): Left | undefined {
    const left = this.#left.get(key);
    if (left === undefined || left.atMs <= this.#now() - this.#lifetimeMs) return undefined;
    const { atMs, doubts, ...told } = left;
    const { seal, ...known } = told;
    if (seal?.at === undefined) return told;
    // Who empties a queue tells nobody: what stands at its head does.
    if (this.#isOld({ atMs })) return { ...known, seal: lookedFor(seal) };
    return doubts === this.#drops.doubts ? told : { ...known, owed: known.owed ?? gapReasons.brokerLost };
  }

  #isOld({ atMs }: { readonly atMs: number }): boolean {
    return this.#now() - atMs >= watchedMs;
  }

  /** For who has the session now. */
  take(key: string): Left | undefined {
    const left = this.of(key);
    this.#left.delete(key);
    return left;
  }
}
