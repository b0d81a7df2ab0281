import { monotonicNow } from '@evenkeel/pace';
import type { GapFrame, MarkFrame, MessageFrame } from '@evenkeel/protocol/wire';
import { callEach, Handlers } from '../handlers.js';
import { isDerived } from '../ids.js';
import * as limits from '../limits.js';
import type { StatusFeed } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { contentOf } from '../transport/payload.js';
import { type Merged, merge, take } from './merge.js';

/**
 * A topic event as a handler gets it.
 * @example
 * const show = ({ topic, data, past }: TopicMessage<{ text: string }>) => console.log(topic, data.text, past);
 * client.topic('room.42').on('message', show);
 */
export interface TopicMessage<Data = unknown> {
  readonly topic: string;
  readonly id: string;
  readonly data: Data;
  /** When it was published, ms since the epoch. */
  readonly at: number;
  readonly position?: string;
  /** It was published before this client subscribed: it belongs to the history that was asked for. */
  readonly past?: true;
  /** Another client has published it straight to the topic: who, as the mesh knows. */
  readonly from?: { readonly user: string; readonly session: string };
  /** In a topic with the newest value a key: which this is the newest of. */
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** W3C trace context that the publisher gave. */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** How the bytes of `data` are encoded, where the edge could not decode them. */
  readonly contentEncoding?: string;
}
/**
 * Handles a message. It is not waited for: messages are handed on as they come.
 * @example
 * const show: MessageHandler<{ price: number }> = ({ data }) => console.log(data.price);
 * await client.subscribe('prices.demo', show);
 */
export type MessageHandler<Data = unknown> = (message: TopicMessage<Data>) => unknown;

/** A topic that somebody has subscribed. */
export interface Topic extends Kept {
  /** The option `topics` is one without a handler. */
  readonly subscribers: Handlers<TopicMessage>;
  /** The edge's answer, or what waits for it. */
  asked?: Promise<unknown> | undefined;
  /** It has answered. */
  isGranted?: boolean;
  /** Nobody waits for that any more. */
  readonly over: AbortController;
  /** Ids of the last messages, a ring. */
  recent: string[];
  next: number;
  /** Counts of ids that the live socket may send again, since `seenAtMs`. */
  seen?: Map<string, number> | undefined;
  seenAtMs?: number;
  /** The live socket's last word was a message, and no gap. */
  goesOn?: boolean;
}
/** What is known of one for the time of a move. */
interface Kept {
  /** The last gap that the live socket has told since a move opened another. */
  gap: GapFrame | undefined;
  /** What the other socket has brought, and how much of it before each mark. */
  kept: (MessageFrame | GapFrame)[];
  readonly marks: Map<string, number>;
  /** More than is kept. */
  hasMore: boolean;
}

/**
 * Topics and their messages, over one socket or, during a move, two: those of the old socket go straight to the handlers, those
 * of the new one are kept until the old one has finished and both edges have said where that is in the new one.
 */
export class Topics {
  /** By name. */
  readonly entriesOf = new Map<string, Topic>();
  readonly #all = new Handlers<TopicMessage>();
  #live: EdgeSocket | undefined;
  /** The socket that is to be the live one once its mark has come. `isClean`: the old one said that it had finished. */
  #next: { socket: EdgeSocket; isClean: boolean; mark: string | undefined } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #keptCount = 0;
  readonly #status: StatusFeed;
  readonly #memory: number;

  constructor(status: StatusFeed, memory: number) {
    this.#status = status;
    this.#memory = memory;
  }

  /** A handler of every topic's messages. */
  onMessage(handler: MessageHandler): () => void {
    return this.#all.enter({ handler });
  }

  /** Topics that ought to be subscribed. */
  get wanted(): string[] {
    return [...this.entriesOf.keys()];
  }

  /** A subscriber; `leave` ends it, and is true the once that it was the last and the topic is wanted no more. */
  add(topic: string, handler?: MessageHandler): { topicEntry: Topic; leave: () => boolean } {
    const entry: Topic = this.entriesOf.get(topic) ?? {
      subscribers: new Handlers(),
      over: new AbortController(),
      recent: [],
      next: 0,
      ...nothingKept(),
    };
    this.entriesOf.set(topic, entry);
    const { subscribers } = entry;
    const end = subscribers.enter({ handler });
    const leave = (): boolean => {
      const isOver = subscribers.all.length === 0;
      end();
      return !isOver && subscribers.all.length === 0 && this.entriesOf.delete(topic);
    };
    return { topicEntry: entry, leave };
  }

  /**
   * An edge has ended it: it is subscribed no more, nor wanted. While one waits for the answer to a `subscribe` of its own, that answer
   * decides.
   */
  ended(topic: string, reason: string): void {
    const entry = this.entriesOf.get(topic);
    if (!entry || (entry.asked && !entry.isGranted)) return;
    this.entriesOf.delete(topic);
    entry.subscribers.end();
    this.#status.emit({ type: 'unsubscribed', topic, reason });
  }

  /** A frame from `socket`: handed on when that is the live one, else kept. `entry`: whose it is, where the topic's name does not say. */
  receive(
    socket: EdgeSocket,
    frame: MessageFrame | GapFrame | MarkFrame,
    entry = this.entriesOf.get((frame as { topic?: string }).topic ?? ''),
  ): void {
    if (frame.t === 'mark') {
      if (socket === this.#live) return;
      for (const { marks, kept } of this.entriesOf.values()) marks.set(frame.mark, kept.length);
      // What was published at the very same moment may come right behind it.
      if (frame.mark === this.#next?.mark) this.#finishIn(limits.sameMomentMs);
      return;
    }
    if (!entry) return;
    if (socket === this.#live) {
      this.#deliver(entry, frame);
      entry.goesOn = frame.t !== 'gap';
      if (frame.t === 'gap') entry.gap = frame;
    } else if (this.#keptCount++ < limits.mergeBuffer) entry.kept.push(frame);
    else entry.hasMore = true;
  }

  /** A first socket, or one after a loss: its edge tells a gap, and nothing older comes behind it. */
  restart(socket: EdgeSocket): void {
    this.forgetKept();
    this.#live = socket;
    for (const entry of this.entriesOf.values())
      this.#remember(entry, merge(idsOf(entry), [], 0, this.#memory));
  }

  /** The very first socket has ended before its `welcome`: the next one has no state that an edge would tell a gap for. */
  lostEarly(): void {
    for (const [topic, entry] of this.entriesOf) {
      if (entry.recent.length > 0) this.#tell(topic, 'connection-lost');
      entry.recent = [];
      entry.next = 0;
    }
  }

  /**
   * `socket` is the live one of a move from now on; what was kept from it is merged, once it has brought `mark`. `isClean`: the
   * old one said that it had finished. Else a topic of which the new socket repeated nothing has a gap.
   */
  takeLive(socket: EdgeSocket, isClean: boolean, mark?: string): void {
    this.#live = undefined;
    this.#next = { socket, isClean, mark };
    const [any] = this.entriesOf.values();
    if (mark === undefined || !any || any.marks.has(mark)) this.finish();
    else this.#finishIn(limits.markMs);
  }

  /** Waits for no mark any longer. */
  finish(): void {
    if (!this.#next) return;
    const { socket, isClean, mark } = this.#next;
    this.#live = socket;
    for (const [topic, entry] of this.entriesOf) {
      const { kept, gap } = entry;
      const marked = entry.marks.get(mark ?? '');
      // A gap takes a place and repeats nothing.
      const ids = kept.map((frame) => (frame.t === 'gap' ? '' : frame.id));
      const merged = merge(idsOf(entry), ids, marked, this.#memory);
      let last = merged.isRepeat.lastIndexOf(true);
      this.#remember(entry, merged);
      if (!isClean && last < 0) this.#tell(topic, 'connection-lost');
      // Where the old socket has told a gap and gone on, what lies before the last repeat, or before the mark, would come behind what is
      // younger. And the gap again: several publishers' messages need not come in one order, so that may lie behind it.
      if (entry.goesOn && marked && marked > last) last = marked;
      let owed = gap;
      for (const [at, frame] of kept.entries()) {
        if (merged.isRepeat[at]) continue;
        if (!gap || at >= last || frame.t === 'gap') this.#deliver(entry, frame, true);
        else if (owed) {
          this.#deliver(entry, owed);
          owed = undefined;
        }
      }
      if (entry.hasMore) this.#tell(topic, 'slow-consumer');
    }
    this.forgetKept();
  }

  #finishIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.finish(), ms);
  }

  /** A new socket of a move begins, or is given up. */
  forgetKept(): void {
    clearTimeout(this.#timer);
    this.#next = undefined;
    this.#keptCount = 0;
    for (const entry of this.entriesOf.values()) {
      Object.assign(entry, nothingKept());
    }
  }

  #remember(entry: Topic, { seen }: Merged): void {
    entry.seen = seen;
    entry.seenAtMs = monotonicNow();
  }

  #tell(topic: string, reason: GapFrame['reason']): void {
    this.#status.emit({ type: 'gap', topic, reason });
  }

  #deliver(entry: Topic, frame: MessageFrame | GapFrame, isMerged = false): void {
    if (frame.t === 'gap') return this.#tell(frame.topic ?? '', frame.reason);
    const { id } = frame;
    const { seen } = entry;
    if (seen && !isMerged) {
      const agoMs = monotonicNow() - (entry.seenAtMs ?? 0);
      if (seen.size === 0 || agoMs > limits.repeatMs) entry.seen = undefined;
      else if (seen.has(id) && (!isDerived(id) || agoMs < limits.markMs)) return take(seen, id);
    }
    entry.recent[entry.next] = id;
    entry.next = (entry.next + 1) % this.#memory;
    const { topic } = frame;
    const message = contentOf<TopicMessage>({ topic }, frame);
    for (const { all } of [entry.subscribers, this.#all])
      callEach(all, message, (error) => this.#status.emit({ type: 'handler-error', error, id, name: topic }));
  }
}

const nothingKept = (): Kept => ({ gap: undefined, kept: [], marks: new Map(), hasMore: false });

/** Ids of its last messages, oldest first. */
const idsOf = ({ recent, next }: Topic): string[] => [...recent.slice(next), ...recent.slice(0, next)];
