import type { StreamRecord } from '@evenkeel/broker';
import { namespaceOf } from '@evenkeel/protocol';
import { untilAborted } from '../incarnation.js';
import { HistoryStream, type HistoryStreamOptions } from './stream.js';
import type { HistoryLimits, TailRecord } from './tail.js';
import { Turns } from './turns.js';

/** Looks into streams for what is older than their tails, at a time. */
const maxLooks = 4;

export interface HistoryOptions<T>
  extends Omit<
    HistoryStreamOptions<T>,
    'namespace' | 'limits' | 'turns' | 'declaring' | 'onRecord' | 'onMessage' | 'onBreak'
  > {
  /** Those that have a history. */
  readonly namespaces: Iterable<readonly [string, HistoryLimits]>;
  /** As of each stream; each is given a publisher that nothing else uses. */
  readonly declaring?: Declaring | undefined;
  onRecord?(namespace: string, record: StreamRecord, isMessage: boolean): void;
  onMessage?(record: TailRecord<T>): void;
  /** What comes of the topics of this namespace need not follow what has come. */
  onBreak?(namespace: string): void;
}

type Declaring = Omit<NonNullable<HistoryStreamOptions<unknown>['declaring']>, 'publisher'> & {
  /** RabbitMQ before 4.0 may confirm what it does not write, on a channel that goes to more than one stream (docs/cluster.md). */
  publisher(): NonNullable<HistoryStreamOptions<unknown>['declaring']>['publisher'];
};

/**
 * The history of topics: a stream a namespace, `history.<namespace>`, with its newest part in memory. `T` is what its reader makes of
 * a message. Edges deliver from it; who only wants to read makes it without `declaring`:
 *
 * @example
 * const history = new History({ namespaces: [['room', { size: 1000, seconds: 3600 }]], connection: mesh.consuming,
 *   bounds: historyBounds, make: (record, nowMs) => ({ item: toMessage(record), bytes: record.body.length, atMs: undefined }), ... });
 * await history.start(signal);
 * history.of('room.42')?.last('room.42', 20, ({ records }) => answer(records.map(({ item }) => item)));
 */
export class History<T> {
  readonly #streams = new Map<string, HistoryStream<T>>();

  constructor({ namespaces, declaring, onRecord, onBreak, ...options }: HistoryOptions<T>) {
    const turns = new Turns(maxLooks);
    for (const [namespace, limits] of namespaces) {
      const own: HistoryStreamOptions<T> = {
        ...options,
        namespace,
        limits,
        turns,
        declaring: declaring && { ...declaring, publisher: declaring.publisher() },
        onRecord: (record, isMessage) => onRecord?.(namespace, record, isMessage),
        onBreak: () => onBreak?.(namespace),
      };
      this.#streams.set(namespace, new HistoryStream<T>(own));
    }
  }

  /** The streams, by namespace. */
  get streams(): ReadonlyMap<string, HistoryStream<T>> {
    return this.#streams;
  }

  /** The stream of this topic; undefined: its namespace has no history. */
  of(topic: string): HistoryStream<T> | undefined {
    if (this.#streams.size === 0) return undefined;
    return this.#streams.get(namespaceOf(topic));
  }

  /** True once each has been read; else which has not, and how far it is. */
  readiness(): true | string {
    for (const stream of this.#streams.values()) {
      const readiness = stream.readiness();
      if (readiness !== true) return readiness;
    }
    return true;
  }

  /** Resolves once each has been read to its end. @throws what `signal` says. */
  async start(signal?: AbortSignal): Promise<void> {
    const read = Promise.all([...this.#streams.values()].map((stream) => stream.start()));
    await (signal === undefined ? read : untilAborted(read, signal));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.stop()));
  }
}
