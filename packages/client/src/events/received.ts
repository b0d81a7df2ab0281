import { isDerived } from '../ids.js';
import type { Source } from '../transport/source.js';

/** What is looked at of an event. */
export interface Arrival {
  readonly seq: number;
  readonly id: string;
  readonly redelivered?: true;
  readonly again?: number;
}
interface Entry {
  readonly id: string;
  source: Source;
  seq: number;
  atMs: number;
}

/** What came that long before the end of its connection, and is acknowledged, is acknowledged at its edge too, ms. */
const settledMs = 1_000;
/** The same where the connection goes on: longer than an edge waits for an acknowledgement. */
const blipMs = 90_000;

/**
 * Which directed events have come lately, in the order of the session's queue. A delivery that comes again is the same entry,
 * noted where it came last.
 *
 * An id of the publisher's is an identity. One that begins with `~` was derived from content, which may recur: such an event is
 * a repeat only if it is the same delivery. The edge says so where it can (`again`). Else what the broker delivers again begins
 * where what is not acknowledged begins, or earlier, since acknowledgements are lost with a connection, and goes on
 * in order. What may be a repeat and need not be one is none, unless its content has come once in all this time, and just now.
 */
export class Received {
  /** Entries remembered; at least 2 × the edge's window. */
  capacity: number;
  /** The last connection that brought an event. */
  last: Source | undefined;
  /** Events that came with an id of an earlier one and were no repeats of the mesh's. */
  duplicates = 0;
  readonly #entries: Entry[] = [];
  readonly #counts = new Map<string, number>();
  /** What lies before it does not come again. */
  #floor = 0;
  /** Where in `entries` the next of several redelivered events in a row may be, latest first. */
  #next: number[] | undefined;
  /** `seq` of the first of them. */
  #began = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Notes an arrival; true when it is not to be handed on. */
  isRepeat(event: Arrival, source: Source): boolean {
    const { id, seq } = event;
    const entries = this.#entries;
    const counts = this.#counts;
    const isFlagged = event.redelivered === true || event.again !== undefined;
    if (this.last !== source || !isFlagged) this.#next = undefined;
    // No chain of all there were.
    if (this.last && this.last !== source) this.last.after = undefined;
    this.last = source;
    source.receivedSeq = seq;
    const entry = isFlagged ? this.#find(event, source) : undefined;
    if (entry) {
      entry.source = source;
      entry.seq = seq;
      entry.atMs = source.aliveAtMs;
      return true;
    }
    // All that was to come again has come before it.
    if (!isFlagged && entries[entries.length - 1]?.source !== source) this.#floor = entries.length;
    const count = counts.get(id) ?? 0;
    entries.push({ id, source, seq, atMs: source.aliveAtMs });
    counts.set(id, count + 1);
    while (!this.#next && entries.length > this.capacity) this.#forget();
    if (count === 0 || isDerived(id)) return false;
    this.duplicates++;
    return true;
  }

  /** Something was lost: what came before it may not come again, or only in part. */
  gap(): void {
    this.#floor = this.#entries.length;
    this.#next = undefined;
  }

  #find(event: Arrival, source: Source): Entry | undefined {
    const entries = this.#entries;
    const { id, again } = event;
    const { after } = source;
    if (!this.#next) this.#began = event.seq;
    if (again !== undefined && after) {
      const near = entries.findLastIndex((e) => e.source === after && e.seq <= again);
      const entry = entries[near];
      if (entry) {
        this.#next = [near + again - entry.seq];
        if (entry.seq === again) return this.#advance(near);
      }
    }
    this.#next ??= this.#candidates();
    this.#next = this.#next.filter((at) => at >= entries.length || entries[at]?.id === id);
    const at = this.#next[0] ?? entries.length;
    if (at < entries.length) return this.#advance(at);
    this.#advance(at);
    const known = entries[entries.findLastIndex((e) => e.id === id)];
    if (!known) return undefined;
    if (!isDerived(id)) return known;
    // An edge that names the position has said that it did not come.
    if (again !== undefined || this.#counts.get(id) !== 1) return undefined;
    // On a connection that goes on, the edge has lost the broker, and with it acknowledgements of all that time.
    const isSame = known.source === source;
    const isMatched = isSame && known.seq >= this.#began;
    return isMatched || isSettled(known, isSame ? blipMs : settledMs) ? undefined : known;
  }

  #advance(at: number): Entry | undefined {
    this.#next = (this.#next ?? []).map((each) => each + 1);
    return this.#entries[at];
  }

  /** From the first that is not acknowledged back to the first whose acknowledgement may not have arrived. */
  #candidates(): number[] {
    const entries = this.#entries;
    const floor = this.#floor;
    let at = entries.length;
    while (at > floor && !isAcked(entries[at - 1])) at--;
    const found = [at];
    while (at > floor && !isSettled(entries[at - 1])) found.push(--at);
    return found;
  }

  #forget(): void {
    const entry = this.#entries.shift();
    if (!entry) return;
    this.#floor = Math.max(0, this.#floor - 1);
    const count = this.#counts.get(entry.id) ?? 0;
    if (count > 1) this.#counts.set(entry.id, count - 1);
    else this.#counts.delete(entry.id);
  }
}

const isAcked = (entry: Entry | undefined): boolean => !!entry && entry.seq <= entry.source.ackedSeq;
const isSettled = (entry: Entry | undefined, ms = settledMs): boolean =>
  isAcked(entry) && !!entry && entry.atMs < entry.source.aliveAtMs - ms;
