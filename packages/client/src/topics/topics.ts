import type { GapFrame, MessageFrame } from '@evenkeel/protocol/wire';
import { limits } from '../limits.js';
import type { StatusFeed } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';

/** A topic event as a handler gets it. */
export interface TopicMessage<Data = unknown> {
  readonly topic: string;
  readonly id: string;
  readonly data: Data;
  /** When it was published, ms since the epoch. */
  readonly at: number;
  readonly position?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  /** How the bytes of `data` are encoded, where the edge could not decode them. */
  readonly contentEncoding?: string;
}
/** Handles a message. It is not waited for: messages are handed on as they come. */
export type MessageHandler<Data = unknown> = (message: TopicMessage<Data>) => unknown;

interface Topic {
  readonly handlers: Set<MessageHandler>;
  /** Ids of the last messages, a ring. */
  recent: string[];
  next: number;
  /** Counts of ids that another socket may send again, until `seenUntilMs`. */
  seen: Map<string, number> | undefined;
  seenUntilMs: number;
  /** The last gap that the live socket has told since a move opened another. */
  gap: GapFrame | undefined;
}

/**
 * Topics and their messages, over one socket or, during a move, two: those of the old socket go straight to the
 * handlers, those of the new one are kept until the old one has finished and are then merged by id.
 */
export class Topics {
  private readonly topics = new Map<string, Topic>();
  private readonly all = new Set<MessageHandler>();
  private readonly kept: (MessageFrame | GapFrame)[] = [];
  private readonly overflowed = new Set<string>();
  private live: EdgeSocket | undefined;
  private readonly status: StatusFeed;
  private readonly memory: number;

  constructor(status: StatusFeed, memory: number) {
    this.status = status;
    this.memory = memory;
  }

  /** A handler of every topic's messages. */
  onMessage(handler: MessageHandler): () => void {
    this.all.add(handler);
    return () => void this.all.delete(handler);
  }

  /** Topics that ought to be subscribed. */
  get wanted(): string[] {
    return [...this.topics.keys()];
  }

  /** Adds a topic or a handler to it. */
  add(topic: string, handler?: MessageHandler): void {
    let entry = this.topics.get(topic);
    if (!entry) {
      entry = {
        handlers: new Set(),
        recent: [],
        next: 0,
        seen: undefined,
        seenUntilMs: 0,
        gap: undefined,
      };
      this.topics.set(topic, entry);
    }
    if (handler) entry.handlers.add(handler);
  }

  /** Removes a handler; true when it was the last and the topic is wanted no more. */
  remove(topic: string, handler?: MessageHandler): boolean {
    const entry = this.topics.get(topic);
    if (!entry) return false;
    if (handler) entry.handlers.delete(handler);
    else entry.handlers.clear();
    return entry.handlers.size === 0 && this.topics.delete(topic);
  }

  /** A frame from `socket`: handed on when that is the live one, else kept. */
  receive(socket: EdgeSocket, frame: MessageFrame | GapFrame): void {
    if (socket === this.live) {
      this.deliver(frame);
      const entry = frame.t === 'gap' && this.topics.get(frame.topic ?? '');
      if (entry) entry.gap = frame;
    } else if (this.kept.length < limits.mergeBuffer) this.kept.push(frame);
    else if (frame.topic) this.overflowed.add(frame.topic);
  }

  /**
   * `socket` is the live one from now on; what was kept from it is merged. `isClean`: the old one said that it had
   * finished, or an edge tells the gaps. Else a topic of which the new socket repeated nothing has a gap. Where the old
   * one has told a gap and gone on, what the new one has of that time would come behind what is younger: it is left out.
   */
  takeLive(socket: EdgeSocket, isClean: boolean): void {
    this.live = socket;
    const untilMs = performance.now() + limits.repeatMs;
    for (const entry of this.topics.values()) {
      entry.seen = undefined;
      entry.seenUntilMs = untilMs;
      if (entry.recent.length > 0) {
        const seen = new Map<string, number>();
        for (const id of entry.recent) seen.set(id, (seen.get(id) ?? 0) + 1);
        entry.seen = seen;
      }
    }
    const kept = this.kept.splice(0);
    /** Where the new socket repeats the old one last: nothing that comes later lies before what was delivered. */
    const repeats = new Map<string, number>();
    for (const [at, frame] of kept.entries()) {
      if (frame.t === 'message' && this.topics.get(frame.topic)?.seen?.has(frame.id))
        repeats.set(frame.topic, at);
    }
    if (!isClean) {
      for (const topic of this.topics.keys()) {
        if (!repeats.has(topic)) this.status.emit({ type: 'gap', topic, reason: 'connection-lost' });
      }
    }
    const told = new Set<GapFrame>();
    for (const [at, frame] of kept.entries()) {
      const { gap, seen } = this.topics.get(frame.topic ?? '') ?? {};
      const isLate = frame.t === 'message' && at < (repeats.get(frame.topic) ?? 0) && !seen?.has(frame.id);
      if (!gap || !isLate) this.deliver(frame);
      else if (!told.has(gap)) {
        // Once more: what several publishers send need not come in one order, so this may lie behind that gap.
        told.add(gap);
        this.deliver(gap);
      }
    }
    for (const topic of this.overflowed) this.status.emit({ type: 'gap', topic, reason: 'slow-consumer' });
    this.overflowed.clear();
  }

  /** A new socket of a move begins, or is given up. */
  forgetKept(): void {
    for (const entry of this.topics.values()) entry.gap = undefined;
    this.kept.length = 0;
    this.overflowed.clear();
  }

  private deliver(frame: MessageFrame | GapFrame): void {
    if (frame.t === 'gap') {
      this.status.emit({ type: 'gap', topic: frame.topic ?? '', reason: frame.reason });
      return;
    }
    const entry = this.topics.get(frame.topic);
    if (!entry) return;
    if (entry.seen) {
      const count = entry.seen.get(frame.id);
      if (count) {
        if (count > 1) entry.seen.set(frame.id, count - 1);
        else entry.seen.delete(frame.id);
        return;
      }
      if (entry.seen.size === 0 || performance.now() > entry.seenUntilMs) entry.seen = undefined;
    }
    entry.recent[entry.next] = frame.id;
    entry.next = (entry.next + 1) % this.memory;
    const message: TopicMessage = {
      topic: frame.topic,
      id: frame.id,
      data: dataOf(frame),
      at: frame.at,
      ...(frame.position !== undefined && { position: frame.position }),
      ...(frame.headers && { headers: frame.headers }),
      ...(frame.contentType && { contentType: frame.contentType }),
      ...(frame.contentEncoding && { contentEncoding: frame.contentEncoding }),
    };
    const failed = (error: unknown): void =>
      this.status.emit({ type: 'handler-error', error, id: frame.id, name: frame.topic });
    for (const handler of this.all.size > 0 ? [...entry.handlers, ...this.all] : entry.handlers) {
      try {
        const result = handler(message);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}
