import {
  type HistoryStream,
  type Place,
  type Position,
  type Recovery,
  type TailRecord,
  writePosition,
} from '@evenkeel/mesh';
import { type HistoryItem, historyFrame } from '../../frame/placed.js';
import type { FeedOptions as Asked, FeedAnswer, FeedWanted } from '../../session/ports.js';
import { latestCount, newestOfKeys } from './latest.js';

export interface FeedOptions extends Asked {
  readonly topic: string;
  readonly stream: HistoryStream<HistoryItem>;
  /** So many messages of before were sent. */
  onSent?(count: number): void;
}

/**
 * One topic with history on its way to one connection. What was published before is sent as fast as the client takes it, and
 * without a hole what is published from then on: where the client falls behind, it is read once more from there.
 */
export class Feed {
  readonly topic: string;
  readonly #options: FeedOptions;
  /** `asking`: what there is is being read. `sending`: it is sent. `live`: as it is published. `late`: live, and it has missed some. */
  #is: 'idle' | 'asking' | 'sending' | 'live' | 'late' | 'over' = 'idle';
  #records: readonly TailRecord<HistoryItem>[] = [];
  #next = 0;
  /** Everything up to here is sent, or in `#records`. */
  #upTo: Place | undefined;
  /** Up to where all is sent, where it is not live; undefined: that has no name. */
  #sent: Position | undefined;
  /** Answers to earlier questions do not count. */
  #asked = 0;

  constructor(options: FeedOptions) {
    this.topic = options.topic;
    this.#options = options;
  }

  /** Messages come as they are published. */
  get isLive(): boolean {
    return this.#is === 'live';
  }

  /** Whether it has begun and is not over. */
  get isOn(): boolean {
    return this.#is !== 'idle' && this.#is !== 'over';
  }

  /** Up to where its client has been sent everything, if that has a name. */
  get position(): string | undefined {
    const { tail, isInterrupted } = this.#options.stream;
    // What goes on from its newest record would miss in silence what is to be told.
    const newest = isInterrupted ? undefined : tail.last;
    const at = this.#is === 'live' ? newest : this.#sent;
    return at && writePosition(at);
  }

  /** Begins, or once more: `onAnswer` is called before the first message. */
  begin({ behind, since = behind, last }: FeedWanted, onAnswer: (answer: FeedAnswer) => void): void {
    const { stream, topic } = this.#options;
    if (this.#is === 'live' || this.#is === 'late') this.#options.unlisten();
    this.#is = 'asking';
    this.#sent = undefined;
    this.#asked += 1;
    const asked = this.#asked;
    const answered = (recovery: Recovery<HistoryItem>) => {
      if (this.#asked !== asked || this.#is !== 'asking') return;
      const { upTo } = recovery;
      onAnswer({ position: upTo && writePosition(upTo), recovered: recovery.is === 'all' });
      // Answering may have ended it.
      if (this.#asked === asked && this.#is === 'asking') this.#take(recovery);
    };
    if (since !== undefined) stream.since(topic, since, answered);
    else if (last !== undefined || stream.limits.latest !== 'key') {
      stream.last(topic, last ?? latestCount(stream.limits), answered);
    } else {
      stream.last(topic, latestCount(stream.limits), (recovery) =>
        answered({ ...recovery, records: newestOfKeys(recovery.records) }),
      );
    }
  }

  /** The network has taken what was buffered. */
  drained(): void {
    if (this.#is === 'sending') this.#send();
  }

  /** A live message with this offset was dropped: the client is too far behind. True: it is the first. */
  dropped(offset: number): boolean {
    if (this.#is !== 'live') return this.#is === 'late';
    this.#is = 'late';
    this.#upTo = { offset: offset - 1 };
    this.#sent = this.#options.stream.tail.at(offset - 1);
    return true;
  }

  /** Stops what is live, where some was dropped: it goes on from there once the client has caught up. */
  recover(): void {
    if (this.#is !== 'late') return;
    this.#options.unlisten();
    this.#is = 'sending';
    this.#records = [];
    this.#next = 0;
    this.#send();
  }

  /** What comes does not follow what has come: it is told, and the rest comes live. */
  broken(): void {
    if (!this.isOn || this.#is === 'asking') return;
    this.#options.onLost();
    if (this.#is === 'live') return;
    if (this.#is === 'late') this.#options.unlisten();
    this.#asked += 1;
    this.#live();
  }

  /** Nothing more is sent. */
  end(): void {
    if (this.#is === 'live' || this.#is === 'late') this.#options.unlisten();
    this.#is = 'over';
    this.#asked += 1;
    this.#records = [];
  }

  #take({ is, records, upTo }: Recovery<HistoryItem>): void {
    if (is === 'lost') return this.#live();
    this.#records = records;
    this.#next = 0;
    this.#upTo = upTo;
    this.#is = 'sending';
    this.#send();
  }

  #send(): void {
    const { connection, highWatermarkBytes, topic, onSent } = this.#options;
    const from = this.#next;
    while (this.#next < this.#records.length && connection.isOpen) {
      if (connection.bufferedBytes > highWatermarkBytes) break;
      const record = this.#records[this.#next] as TailRecord<HistoryItem>;
      this.#next += 1;
      this.#sent = record;
      connection.send(historyFrame(topic, record, true));
    }
    onSent?.(this.#next - from);
    if (this.#next < this.#records.length || !connection.isOpen) return;
    this.#more();
  }

  /** What has come while the rest was sent. */
  #more(): void {
    const { stream, topic, onLost } = this.#options;
    const upTo = this.#upTo;
    this.#records = [];
    this.#next = 0;
    if (upTo === undefined || upTo.offset === stream.tail.last?.offset) return this.#live();
    this.#asked += 1;
    const asked = this.#asked;
    stream.behindPlace(topic, upTo, (recovery) => {
      if (this.#asked !== asked || this.#is !== 'sending') return;
      if (recovery.is === 'lost') {
        onLost();
        return this.#live();
      }
      this.#upTo = recovery.upTo;
      if (recovery.records.length === 0) return this.#live();
      this.#records = recovery.records;
      this.#send();
    });
  }

  #live(): void {
    this.#records = [];
    this.#is = 'live';
    this.#options.listen();
  }
}
