import type { Position } from './position.js';
import { Row } from './row.js';

/** What is kept of each topic of a namespace. */
export interface HistoryLimits {
  /** Messages of a topic. */
  readonly size: number;
  /** For how long. */
  readonly seconds: number;
  /** Who asks for no past gets the newest message of a topic, or the newest one of each key. */
  readonly latest?: boolean | 'key';
}

/** What the tail of a stream may take of this process's memory. */
export interface TailBounds {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** One record of the stream. */
export interface TailRecord<T> extends Position {
  /** Those of this namespace that it is for; none: it is not for clients. */
  readonly topics: readonly string[];
  /** When it was published, as far as that is known, ms since the epoch. */
  readonly atMs: number;
  readonly bytes: number;
  readonly item: T;
}

/** Where somebody is in a stream. Without a print it is not asked whether it is the same stream still. */
export interface Place {
  readonly offset: number;
  readonly print?: string | undefined;
}

/** What there is behind a position. `older`: the tail does not reach so far back, look in the stream. */
export type Since<T> =
  | { readonly is: 'all'; readonly records: TailRecord<T>[] }
  | { readonly is: 'lost' }
  | { readonly is: 'older' };

/** A record's place, which outlives what the limits have taken of it. */
interface Slot<T> extends Position {
  record: TailRecord<T> | undefined;
}

interface TopicTail<T> {
  readonly records: Row<TailRecord<T>>;
  /** Offset of the newest record that the limits have taken. */
  gone: number;
  last: Position;
}

/** Topics without a record in the tail whose last position is remembered. */
const maxQuiet = 100_000;

/**
 * The newest records of one stream, whole from an offset on: what of each topic may be read again. The limits of the namespace say what
 * counts; the bounds, for all topics together, what is kept here.
 */
export class HistoryTail<T> {
  readonly #limits: HistoryLimits;
  readonly #bounds: TailBounds;
  readonly #slots = new Row<Slot<T>>();
  readonly #topics = new Map<string, TopicTail<T>>();
  /** Last positions of topics that have no record here any more, oldest first. */
  readonly #quiet = new Map<string, Position & { readonly gone: number }>();
  #bytes = 0;
  #isWhole = false;
  #last: Position | undefined;

  constructor(limits: HistoryLimits, bounds: TailBounds) {
    this.#limits = limits;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#slots.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The newest record, also when the tail keeps none. */
  get last(): Position | undefined {
    return this.#last;
  }

  /** The record at this offset, if it has it. */
  at(offset: number): Position | undefined {
    return this.#slots.at(offset);
  }

  /** From this offset on it has every record; undefined: it has seen none. */
  get floor(): number | undefined {
    return this.#slots.first?.offset ?? (this.#last && this.#last.offset + 1);
  }

  /** Forgets all: the next record begins another life of the stream. `isWhole`: it will be the stream's first. */
  reset(isWhole: boolean): void {
    while (this.#slots.length > 0) this.#slots.shift();
    this.#topics.clear();
    this.#quiet.clear();
    this.#bytes = 0;
    this.#isWhole = isWhole;
    this.#last = undefined;
  }

  /** The next record. */
  add(record: TailRecord<T>): void {
    this.#last = { offset: record.offset, print: record.print };
    const { offset, print, topics, bytes } = record;
    // Of what is no message the place alone is kept.
    this.#slots.push({ offset, print, record: topics.length > 0 ? record : undefined });
    if (topics.length > 0) this.#bytes += bytes;
    for (const topic of topics) this.#addTo(topic, record);
    const { maxRecords, maxBytes } = this.#bounds;
    while (this.#slots.length > maxRecords || (this.#bytes > maxBytes && this.#slots.length > 1)) {
      this.#evict();
    }
  }

  /** What came behind `position`. */
  since(topic: string, position: Place, nowMs: number): Since<T> {
    const last = this.#last;
    if (last === undefined || position.offset > last.offset) return lost;
    const known = this.#topics.get(topic);
    const newest = known?.last ?? this.#quiet.get(topic);
    // The topic's own newest: nothing can be missing, however far back it is.
    if (newest?.offset === position.offset) {
      return isAt(newest, position) ? { is: 'all', records: [] } : lost;
    }
    const gone = known?.gone ?? this.#quiet.get(topic)?.gone ?? -1;
    if (gone > position.offset) return lost;
    if (position.offset < (this.floor ?? 0)) return { is: 'older' };
    if (!isAt(this.#slots.at(position.offset), position)) return lost;
    const records = known?.records.after(position.offset) ?? [];
    const [first] = records;
    return first !== undefined && this.#isOld(first, nowMs) ? lost : { is: 'all', records };
  }

  /** The newest of the topic, at most `count`. `isWhole`: there are no more of them in the stream that count. */
  newest(topic: string, count: number, nowMs: number): { records: TailRecord<T>[]; isWhole: boolean } {
    const known = this.#topics.get(topic);
    const all = known?.records.newest(Math.min(count, this.#limits.size)) ?? [];
    const records = all.filter((record) => !this.#isOld(record, nowMs));
    const isWhole =
      this.#isWhole || records.length < all.length || all.length >= Math.min(count, this.#limits.size);
    return { records, isWhole };
  }

  /** Of the topic, whatever the limits of time say: those behind this offset. For who has asked before. */
  after(topic: string, offset: number): TailRecord<T>[] {
    return this.#topics.get(topic)?.records.after(offset) ?? [];
  }

  #addTo(topic: string, record: TailRecord<T>): void {
    let known = this.#topics.get(topic);
    if (known === undefined) {
      const gone = this.#quiet.get(topic)?.gone ?? -1;
      this.#quiet.delete(topic);
      known = { records: new Row(), gone, last: record };
      this.#topics.set(topic, known);
    }
    known.last = { offset: record.offset, print: record.print };
    known.records.push(record);
    if (known.records.length <= this.#limits.size) return;
    const oldest = known.records.shift();
    if (oldest === undefined) return;
    known.gone = oldest.offset;
    if (oldest.topics.length === 1) this.#release(this.#slots.at(oldest.offset));
  }

  #release(slot: Slot<T> | undefined): void {
    this.#bytes -= slot?.record?.bytes ?? 0;
    if (slot !== undefined) slot.record = undefined;
  }

  #evict(): void {
    const slot = this.#slots.shift();
    const record = slot?.record;
    this.#isWhole = false;
    if (record === undefined) return;
    this.#release(slot);
    for (const topic of record.topics) {
      const known = this.#topics.get(topic);
      if (known === undefined) continue;
      if (known.records.first === record) known.records.shift();
      if (known.last.offset === record.offset) this.#forget(topic, known);
    }
  }

  #forget(topic: string, { last, gone }: TopicTail<T>): void {
    this.#topics.delete(topic);
    this.#quiet.set(topic, { ...last, gone });
    if (this.#quiet.size <= maxQuiet) return;
    const oldest = this.#quiet.keys().next();
    if (!oldest.done) this.#quiet.delete(oldest.value);
  }

  #isOld({ atMs }: TailRecord<T>, nowMs: number): boolean {
    return isPast(atMs, this.#limits, nowMs);
  }
}

/** Whether what was published at `atMs` is too old to be read again. */
export const isPast = (atMs: number, { seconds }: HistoryLimits, nowMs: number): boolean =>
  atMs < nowMs - seconds * 1_000;

const isAt = (record: Position | undefined, { print }: Place): boolean =>
  print === undefined || record?.print === print;

const lost = { is: 'lost' } as const;
