import { type GapReason, gapReasons, type WantedTopic } from '@evenkeel/protocol';
import { okFrame, subscribedFrame } from '../frame/frames.js';
import type { Place } from '../frame/placed.js';
import type { Connection } from '../transport/connection.js';
import type { Feed, FeedAnswer, FeedWanted, HistoryTopics } from './ports.js';
import { Readings } from './readings.js';

export interface HistoriesOptions {
  readonly connection: Connection;
  readonly topics: HistoryTopics | undefined;
  readonly highWatermarkBytes: number;
  /** False once the right to a topic was taken away. */
  mayRead(topic: string): boolean;
  send(frame: string): void;
  gap(reason: GapReason, topic: string): void;
  /** Messages of the topic come live from now on, or not before that is said again. */
  listen(topic: string): void;
  hold(topic: string): void;
}

interface Fed {
  readonly feed: Feed;
  /** Requests that are answered when it begins. */
  readonly unanswered: string[];
  /** Of a session that moves here: what was asked for, until it is known what the other edge has sent. */
  held: WantedTopic | undefined;
}

/** The topics of one connection that have a history: what was published before comes first, and what it was too slow for again. */
export class Histories {
  readonly #options: HistoriesOptions;
  readonly #fed = new Map<string, Fed>();
  /** What is read without a subscription. */
  readonly readings: Readings;
  /** A move is under way: the other edge is still sending. */
  #isHeld: boolean;
  #left: Record<string, string> | undefined;

  constructor(options: HistoriesOptions) {
    this.#options = options;
    this.readings = new Readings(options);
    this.#isHeld = options.connection.claims.move !== undefined;
  }

  /** Where the client had been sent everything when it left for another edge, by topic. */
  get left(): { history?: Record<string, string> } {
    return this.#left === undefined ? {} : { history: this.#left };
  }

  has(topic: string): boolean {
    return this.#fed.has(topic);
  }

  /** Whether messages of it come live. */
  isLive(topic: string): boolean {
    return this.#fed.get(topic)?.feed.isLive === true;
  }

  /**
   * The topic begins, where it has a history; else false. `ids`: of requests for it; none: it was named in hello. `missed`: what
   * the client may have missed if it does not say where it was.
   */
  begin(wanted: WantedTopic, ids: readonly string[], missed: GapReason | undefined): boolean {
    const { topic } = wanted;
    const { topics, connection, highWatermarkBytes, gap, listen, hold } = this.#options;
    const feed = topics?.feed(topic, {
      connection,
      highWatermarkBytes,
      listen: () => listen(topic),
      unlisten: () => hold(topic),
      onLost: () => gap(gapReasons.historyLost, topic),
    });
    if (feed === undefined) return false;
    hold(topic);
    const isHeld = this.#isHeld && ids.length === 0;
    const fed: Fed = { feed, unanswered: [...ids], held: isHeld ? wanted : undefined };
    this.#fed.set(topic, fed);
    if (!isHeld) this.#begin(topic, fed, wanted, missed);
    return true;
  }

  /** It is asked for once more: with `since` or `last` it begins anew. False: it is to be answered as any other. */
  again({ topic, since, last }: WantedTopic, id: string): boolean {
    const fed = this.#fed.get(topic);
    if (fed === undefined) return false;
    if (since === undefined && last === undefined && fed.unanswered.length === 0 && fed.held === undefined) {
      this.#options.send(okFrame(id, { position: fed.feed.position, recovered: true }));
      return true;
    }
    fed.unanswered.push(id);
    fed.held = undefined;
    if (since !== undefined || last !== undefined || !fed.feed.isOn)
      this.#begin(topic, fed, { since, last }, undefined);
    return true;
  }

  end(topic: string): readonly string[] {
    const fed = this.#fed.get(topic);
    if (fed === undefined) return [];
    this.#fed.delete(topic);
    this.#options.topics?.end(fed.feed);
    return fed.unanswered;
  }

  /** The network has taken what was buffered. */
  drained(): void {
    for (const { feed } of this.#fed.values()) feed.drained();
    this.readings.drained();
  }

  /** A live message was dropped, for the client is too far behind. True: it comes once it has caught up. */
  dropped({ topic, offset }: Place): boolean {
    const fed = this.#fed.get(topic);
    if (fed === undefined) return false;
    this.#options.topics?.dropped(fed.feed, offset);
    return true;
  }

  /** The session is here: what the other edge has sent, by topic; undefined: it has not said. */
  welcomed(sent: Readonly<Record<string, string>> | undefined): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const [topic, fed] of [...this.#fed]) {
      const { held } = fed;
      if (held === undefined) continue;
      fed.held = undefined;
      const behind = sent === undefined ? undefined : sent[topic];
      const wanted = behind === undefined ? held : { behind };
      this.#begin(topic, fed, wanted, behind === undefined ? gapReasons.connectionLost : undefined);
    }
  }

  /** Nothing more is sent here: the session goes on elsewhere, behind what was sent. */
  leave(): void {
    this.readings.end();
    const left: [string, string][] = [];
    for (const [topic, { feed }] of this.#fed) {
      const { position } = feed;
      if (position !== undefined) left.push([topic, position]);
    }
    if (left.length > 0) this.#left = Object.fromEntries(left);
  }

  #begin(topic: string, fed: Fed, wanted: FeedWanted, missed: GapReason | undefined): void {
    const saysWhere = wanted.behind !== undefined || wanted.since !== undefined || wanted.last !== undefined;
    fed.feed.begin(wanted, (answer) => this.#answer(topic, fed, answer, saysWhere ? undefined : missed));
  }

  #answer(topic: string, fed: Fed, answer: FeedAnswer, missed: GapReason | undefined): void {
    const { send, gap } = this.#options;
    const { position, recovered } = answer;
    const data = { position, recovered: recovered && missed === undefined };
    const ids = fed.unanswered.splice(0);
    if (ids.length === 0) send(subscribedFrame(topic, 'hello', data));
    for (const id of ids) send(okFrame(id, data));
    if (!recovered) gap(gapReasons.historyLost, topic);
    else if (missed !== undefined) gap(missed, topic);
  }
}
