import { printOf } from './position.js';
import type { Recovery } from './recovery.js';
import { type HistoryLimits, isPast, type Place, type TailRecord } from './tail.js';

/** Bytes of one answer at most; what is more counts as gone. */
const maxAnswerBytes = 67_108_864;

type Answer<T> = Omit<Recovery<T>, 'upTo'>;

/** What somebody wants of records that are older than the tail; shown the stream, record by record. */
export class Question<T> {
  readonly topic: string;
  /** The first record that it wants to see. */
  readonly from: number;
  readonly #since: Place | undefined;
  readonly #most: number;
  readonly #limits: HistoryLimits;
  #records: TailRecord<T>[] = [];
  #bytes = 0;
  #isFound: boolean;
  #isLost = false;

  constructor(topic: string, wanted: { since: Place } | { last: number }, limits: HistoryLimits) {
    this.topic = topic;
    this.#limits = limits;
    this.#since = 'since' in wanted ? wanted.since : undefined;
    this.#most = 'last' in wanted ? Math.min(wanted.last, limits.size) : limits.size;
    this.from = this.#since?.offset ?? 0;
    this.#isFound = this.#since === undefined;
  }

  /** Nothing can be answered any more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Looks at where it begins; what comes behind it is to be shown to {@link add}. */
  see(offset: number, record: Parameters<typeof printOf>[0]): void {
    if (this.#isFound || this.#since === undefined || offset < this.#since.offset) return;
    const { print } = this.#since;
    const isHere = offset === this.#since.offset && (print === undefined || printOf(record) === print);
    if (isHere) this.#isFound = true;
    else this.#isLost = true;
  }

  /** Messages went past the stream at this offset. */
  lacks(offset: number): void {
    if (this.#since !== undefined && this.#since.offset < offset) this.#isLost = true;
  }

  /** One of its topic. */
  add(record: TailRecord<T>): void {
    if (this.#since !== undefined && record.offset <= this.#since.offset) return;
    if (this.#isLost) return;
    this.#records.push(record);
    this.#bytes += record.bytes;
    const isTooMany = this.#records.length > this.#most || this.#bytes > maxAnswerBytes;
    if (!isTooMany) return;
    if (this.#since === undefined) this.#bytes -= this.#records.shift()?.bytes ?? 0;
    else this.#isLost = true;
  }

  /** `newer`: what the tail has behind what was shown. `isWhole`: all was shown that there is before it. */
  answer(newer: readonly TailRecord<T>[], isWhole: boolean, nowMs: number): Answer<T> {
    if (this.#since === undefined) {
      // Else some are missing between what was shown and what is newer: the newest are not among the former.
      const all = isWhole ? [...this.#records, ...newer] : newer;
      const records = all.slice(-this.#most).filter(({ atMs }) => !isPast(atMs, this.#limits, nowMs));
      const is = isWhole || newer.length >= this.#most ? 'all' : 'newest';
      return { is, records: this.#most === 0 ? [] : records };
    }
    const all = [...this.#records, ...newer];
    const [first] = all;
    const isOld = first !== undefined && isPast(first.atMs, this.#limits, nowMs);
    const isLost = this.#isLost || !this.#isFound || !isWhole || isOld || all.length > this.#most;
    return isLost ? { is: 'lost', records: [] } : { is: 'all', records: all };
  }
}
