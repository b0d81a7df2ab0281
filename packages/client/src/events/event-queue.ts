import type { EventFrame, GapFrame } from '@evenkeel/protocol/wire';
import * as limits from '../limits.js';
import type { StatusFeed } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { dataOf } from '../transport/payload.js';
import type { Source } from '../transport/source.js';
import type { Acks } from './acks.js';
import type { ClientEvent, EventHandler } from './event.js';
import { Received } from './received.js';

type Item =
  | { kind: 'event'; socket: EdgeSocket; seq: number; frame: EventFrame | undefined }
  | { kind: 'gap'; frame: GapFrame }
  | { kind: 'flush'; socket: EdgeSocket };

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/**
 * Directed events, one after another in the order of arrival, each once. An event is acknowledged when all its
 * handlers have settled; a repeat is acknowledged in its place in that order, so never before its original.
 */
export class EventQueue {
  /** One entry a registration, so that none ends another's; without a handler once it has ended. */
  readonly #handlers = new Map<string, readonly { handler: EventHandler | undefined }[]>();
  readonly #received = new Received(limits.recentEvents);
  #items: Item[] = [];
  #head = 0;
  #isRunning = false;
  #isStopped = false;
  #whenIdle: (() => void)[] = [];
  readonly #acks: Acks;
  readonly #status: StatusFeed;
  readonly #handlerTimeoutMs: number;

  constructor(acks: Acks, status: StatusFeed, handlerTimeoutMs: number) {
    this.#acks = acks;
    this.#status = status;
    this.#handlerTimeoutMs = handlerTimeoutMs;
  }

  /** The last connection that brought an event. */
  get last(): Source | undefined {
    return this.#received.last;
  }

  /** How many events an edge sends ahead. */
  set window(window: number) {
    this.#received.capacity = Math.max(limits.recentEvents, 2 * window);
  }

  /** `name` is an event's, or `*` for all. */
  on(name: string, handler: EventHandler): () => void {
    const added: { handler: EventHandler | undefined } = { handler };
    this.#handlers.set(name, [...(this.#handlers.get(name) ?? []), added]);
    return () => {
      added.handler = undefined;
      this.#handlers.set(
        name,
        (this.#handlers.get(name) ?? []).filter((each) => each !== added),
      );
    };
  }

  /** False: more wait than may, the socket must go (what it sent comes again). */
  push(socket: EdgeSocket, frame: EventFrame): boolean {
    if (this.#items.length - this.#head >= limits.queuedEvents) return false;
    const received = this.#received;
    const { duplicates } = received;
    const isRepeat = received.isRepeat(frame, socket);
    const count = received.duplicates;
    // Told ever more seldom: there may be one with every event.
    if (count > duplicates && (count & (count - 1)) === 0)
      this.#status.emit({ type: 'duplicate-id', id: frame.id, name: frame.name, count });
    this.#add({ kind: 'event', socket, seq: frame.seq, frame: isRepeat ? undefined : frame });
    return true;
  }

  /** A gap is told between the events that it lies between. */
  gap(frame: GapFrame): void {
    this.#received.gap();
    this.#add({ kind: 'gap', frame });
  }

  /** Another page has had the session: what waits here has come to that one, and there is a gap. */
  taken(): void {
    this.#items = [];
    this.#head = 0;
    this.gap({ t: 'gap', reason: 'session-expired' });
  }

  /** Acknowledges at once when all that came on `socket` is handled. */
  flushAfter(socket: EdgeSocket): void {
    this.#add({ kind: 'flush', socket });
  }

  /** No further handler is called; resolves when the running one has settled, or after `timeoutMs`. */
  stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true;
    return this.idle(timeoutMs);
  }

  /** Resolves when nothing waits and nothing runs, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void> {
    if (!this.#isRunning) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#whenIdle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #add(item: Item): void {
    this.#items.push(item);
    if (!this.#isRunning) this.#run();
  }

  #run(): void {
    this.#isRunning = true;
    while (this.#head < this.#items.length && !this.#isStopped) {
      const item = this.#items[this.#head++];
      // Drop what is done in batches: under steady load the queue may never run empty.
      if (this.#head === this.#items.length || this.#head >= limits.queuedEvents) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      if (!item) continue;
      if (item.kind === 'gap') this.#status.emit({ type: 'gap', reason: item.frame.reason });
      else if (item.kind === 'flush') this.#acks.flush();
      else {
        const pending = item.frame && this.#call(item.frame);
        if (pending) {
          // One continuation per asynchronous handler; synchronous ones stay in this loop.
          void pending.then(() => {
            this.#acks.handled(item.socket, item.seq);
            this.#run();
          });
          return;
        }
        this.#acks.handled(item.socket, item.seq);
      }
    }
    this.#isRunning = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Undefined when every handler has finished. */
  #call(frame: EventFrame): Promise<void> | undefined {
    const event: ClientEvent = {
      id: frame.id,
      name: frame.name,
      data: dataOf(frame),
      at: frame.at,
      ...(frame.headers && { headers: frame.headers }),
      ...(frame.contentType && { contentType: frame.contentType }),
      ...(frame.contentEncoding && { contentEncoding: frame.contentEncoding }),
      ...(frame.redelivered && { redelivered: true }),
    };
    const failed = (error: unknown): void =>
      this.#status.emit({ type: 'handler-error', error, id: event.id, name: event.name });
    let pending: PromiseLike<unknown>[] | undefined;
    for (const key of [event.name, '*']) {
      for (const { handler } of this.#handlers.get(key) ?? []) {
        try {
          const result = handler?.(event);
          if (isThenable(result)) {
            pending ??= [];
            pending.push(result.then(undefined, failed));
          }
        } catch (error) {
          failed(error);
        }
      }
    }
    if (!pending) return undefined;
    const all = Promise.all(pending);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#status.emit({ type: 'handler-timeout', event });
        resolve();
      }, this.#handlerTimeoutMs);
      void all.then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
