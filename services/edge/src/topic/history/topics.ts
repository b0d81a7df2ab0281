import { isPattern } from '@evenkeel/access';
import {
  type History,
  type HistoryStream,
  type Recovery,
  type TailRecord,
  writePosition,
} from '@evenkeel/mesh';
import { type HistoryItem, historyFrame } from '../../frame/placed.js';
import type { FeedWanted, Found } from '../../session/ports.js';
import { Feed, type FeedOptions } from './feed.js';

export interface HistoryTopicsOptions {
  readonly history: Pick<History<HistoryItem>, 'of'>;
  /** Sends a frame to every local subscriber of the topic, and of patterns that match it. `from`: the session that it is from. */
  deliver(topic: string, frame: string, from: string | undefined): void;
}

/** The topics of this edge that have a history: all that they carry comes from their streams, so it is the same on every edge. */
export class HistoryTopics {
  readonly #options: HistoryTopicsOptions;
  readonly #feeds = new Map<string, Set<Feed>>();
  /** Connections that have missed something of them, which listen still. */
  readonly #late = new Set<Feed>();
  #recovering: NodeJS.Immediate | undefined;
  /** Messages of before that were sent, and subscribers for whom some were gone. */
  readonly counts = { sent: 0, lost: 0, late: 0 };

  constructor(options: HistoryTopicsOptions) {
    this.#options = options;
  }

  /** Whether what this name of a topic or pattern carries comes from a stream. */
  has(name: string): boolean {
    return this.#streamOf(name) !== undefined;
  }

  /** One topic on its way to one connection; undefined: it has no history. It is to be ended. */
  feed(topic: string, options: Omit<FeedOptions, 'topic' | 'stream' | 'onSent'>): Feed | undefined {
    const stream = isPattern(topic) ? undefined : this.#streamOf(topic);
    if (stream === undefined) return undefined;
    const feed: Feed = new Feed({
      ...options,
      topic,
      stream,
      onLost: () => {
        this.counts.lost += 1;
        options.onLost();
      },
      onSent: (count) => {
        this.counts.sent += count;
      },
    });
    const feeds = this.#feeds.get(topic);
    if (feeds) feeds.add(feed);
    else this.#feeds.set(topic, new Set([feed]));
    return feed;
  }

  /** The connection does not want it any more. */
  end(feed: Feed): void {
    feed.end();
    this.#late.delete(feed);
    const feeds = this.#feeds.get(feed.topic);
    if (feeds?.delete(feed) && feeds.size === 0) this.#feeds.delete(feed.topic);
  }

  /** A live message with this offset was not sent to it, for its connection is too far behind. */
  dropped(feed: Feed, offset: number): void {
    if (!feed.dropped(offset) || this.#late.has(feed)) return;
    this.counts.late += 1;
    this.#late.add(feed);
    // Not now: the engine is just going through who has subscribed.
    this.#recovering ??= setImmediate(() => this.#recover());
  }

  /** What a topic has kept: all of it, if nothing is `wanted`. False: it has no history, or is a pattern. */
  read(topic: string, { since, last }: FeedWanted, re: string, onRead: (found: Found) => void): boolean {
    const stream = isPattern(topic) ? undefined : this.#streamOf(topic);
    if (stream === undefined) return false;
    const answered = ({ is, records, upTo }: Recovery<HistoryItem>): void =>
      onRead({
        position: upTo && writePosition(upTo),
        recovered: is !== 'lost',
        count: records.length,
        frame: (at) => historyFrame(topic, records[at] as TailRecord<HistoryItem>, true, re),
      });
    if (since !== undefined) stream.since(topic, since, answered);
    else stream.last(topic, last ?? stream.limits.size, answered);
    return true;
  }

  /** The next one of the stream. */
  onMessage(record: TailRecord<HistoryItem>): void {
    // What is behind a missing one must not come before it.
    if (this.#late.size > 0) this.#recover();
    for (const topic of record.topics)
      this.#options.deliver(topic, historyFrame(topic, record, false), record.item.from);
  }

  /** Messages of this namespace are missing. */
  onBreak(namespace: string): void {
    for (const [topic, feeds] of this.#feeds) {
      if (topic === namespace || topic.startsWith(`${namespace}.`))
        for (const feed of [...feeds]) feed.broken();
    }
  }

  #streamOf(name: string): HistoryStream<HistoryItem> | undefined {
    return this.#options.history.of(name);
  }

  #recover(): void {
    clearImmediate(this.#recovering);
    this.#recovering = undefined;
    const late = [...this.#late];
    this.#late.clear();
    for (const feed of late) feed.recover();
  }
}
