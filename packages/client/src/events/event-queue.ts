import { monotonicNow } from '@evenkeel/pace';
import type { EventFrame, GapFrame } from '@evenkeel/protocol/wire';
import { callEach, Handlers, type Handling } from '../handlers.js';
import * as limits from '../limits.js';
import type { StatusFeed } from '../status.js';
import { Waiters, within } from '../time.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { contentOf } from '../transport/payload.js';
import type { Source } from '../transport/source.js';
import type { Acks } from './acks.js';
import type { ClientEvent, EventHandler } from './event.js';
import { Received } from './received.js';

interface Arrived {
  readonly kind: 'event';
  readonly socket: EdgeSocket;
  readonly seq: number;
  /** Undefined: a repeat. */
  readonly frame: EventFrame | undefined;
  /** When it has come. */
  readonly atMs: number;
  /** Registrations made before its handlers were called. */
  begunAt: number;
  isHandled: boolean;
}
type Item = Arrived | { kind: 'gap'; frame: GapFrame } | { kind: 'flush'; socket: EdgeSocket };

interface Registration extends Handling<ClientEvent> {
  readonly serial: number;
}
const none: readonly Registration[] = [];

/**
 * Directed events, one after another in the order of arrival, each once. An event is acknowledged when all its
 * handlers have settled; a repeat is acknowledged in its place in that order, so never before its original.
 *
 * One without a handler waits for it a while, and all behind it. One that has a handler since the running handler began may be what
 * that one waits for: it is handed on meanwhile, and what lies before it.
 */
export class EventQueue {
  readonly #handlers = new Map<string, Handlers<ClientEvent, Registration>>();
  /** How many there have been. */
  #serial = 0;
  readonly #received = new Received(limits.recentEvents);
  #items: Item[] = [];
  #head = 0;
  /** Handed on, and not acknowledged yet. */
  #begun: Arrived[] = [];
  /** Its handlers are being called at this moment. */
  #calling: Arrived | undefined;
  #isLooping = false;
  /** Names of which it was told that they have no handler. */
  readonly #told = new Set<string>();
  /** Runs while the next event waits for a handler. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;
  readonly #waiters = new Waiters();
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

  /** Where what is being handled has come from. */
  get atWork(): EdgeSocket | undefined {
    return this.#begun[0]?.socket;
  }

  /** How many events an edge sends ahead. */
  set window(window: number) {
    this.#received.capacity = Math.max(limits.recentEvents, 2 * window);
  }

  /** `name` is an event's, or `*` for all. */
  on(name: string, handler: EventHandler): () => void {
    const named = this.#handlers.get(name) ?? new Handlers();
    this.#handlers.set(name, named);
    const end = named.enter({ handler, serial: ++this.#serial });
    if (name === '*') this.#told.clear();
    else this.#told.delete(name);
    // Whoever registers one may register others in the same breath.
    queueMicrotask(() => this.#run());
    return end;
  }

  /**
   * False: more wait than may, the socket must go (what it sent comes again). What has a `take` of its own has no handlers: it is taken at
   * once, unless it is a repeat, and acknowledged in its place.
   */
  push(socket: EdgeSocket, frame: EventFrame, take?: () => void): boolean {
    if (this.#items.length - this.#head >= limits.queuedEvents) return false;
    const received = this.#received;
    const { duplicates } = received;
    const isRepeat = received.isRepeat(frame, socket);
    const count = received.duplicates;
    // Told ever more seldom: there may be one with every event.
    if (count > duplicates && (count & (count - 1)) === 0)
      this.#status.emit({ type: 'duplicate-id', id: frame.id, name: frame.name, count });
    if (!isRepeat) take?.();
    this.#add({
      kind: 'event',
      socket,
      seq: frame.seq,
      frame: isRepeat || take ? undefined : frame,
      atMs: socket.aliveAtMs,
      begunAt: 0,
      isHandled: false,
    });
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

  /** The event whose handler calls this counts as handled: it may wait for what waits for it. */
  letGo(): void {
    if (this.#calling) this.#handled(this.#calling);
  }

  /** No further event is handed on; resolves as `idle`. */
  stop(timeoutMs: number): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    return this.idle(timeoutMs);
  }

  /** Resolves when nothing waits and nothing runs, or after `timeoutMs`. */
  async idle(timeoutMs: number): Promise<void> {
    if (!this.#isIdle()) await this.#waiters.wait(timeoutMs);
  }

  #isIdle(): boolean {
    return this.#begun.length === 0 && (this.#isStopped || this.#head === this.#items.length);
  }

  #add(item: Item): void {
    this.#items.push(item);
    this.#run();
  }

  #run(): void {
    if (this.#isLooping) return;
    this.#isLooping = true;
    while (this.#head < this.#items.length && !this.#isStopped && this.#mayGoOn()) {
      const item = this.#items[this.#head];
      if (!item) break;
      // What a running handler awaits is not to wait for another's handler.
      if (item.kind === 'event' && this.#lacksHandler(item) && !this.#running) break;
      this.#head++;
      // Drop what is done in batches: under steady load the queue may never run empty.
      if (this.#head === this.#items.length || this.#head >= limits.queuedEvents) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      if (item.kind === 'gap') this.#status.emit({ type: 'gap', reason: item.frame.reason });
      else if (item.kind === 'flush') this.#acks.flushNow();
      else {
        this.#begun.push(item);
        const pending = item.frame && this.#call(item, item.frame);
        // One continuation per asynchronous handler; synchronous ones stay in this loop.
        if (pending) void pending.then(() => this.#handled(item));
        else this.#handled(item);
      }
    }
    this.#isLooping = false;
    if (this.#isIdle()) this.#waiters.freeAll();
  }

  /** The last whose handlers have not settled. */
  get #running(): Arrived | undefined {
    return this.#begun.findLast((item) => !item.isHandled);
  }

  /** Nothing runs, or what runs may wait for something that has come. */
  #mayGoOn(): boolean {
    const running = this.#running;
    if (!running) return true;
    const isNew = ({ serial }: Registration): boolean => serial > running.begunAt;
    const isAwaited = (item: Item): boolean =>
      item.kind === 'event' && this.#of(item.frame?.name ?? '').some(isNew);
    return this.#serial > running.begunAt && this.#items.slice(this.#head).some(isAwaited);
  }

  /** Nobody handles it, and that has not been told: it waits. */
  #lacksHandler({ frame, atMs }: Arrived): boolean {
    const isLacking = frame !== undefined && this.#of(frame.name).length === 0 && !this.#told.has(frame.name);
    clearTimeout(this.#timer);
    if (isLacking)
      this.#timer = setTimeout(
        () => {
          this.#told.add(frame.name);
          this.#run();
        },
        limits.unhandledMs - monotonicNow() + atMs,
      );
    return isLacking;
  }

  #of(name: string): readonly Registration[] {
    const all = this.#handlers.get('*')?.all ?? none;
    const named = name === '*' ? none : (this.#handlers.get(name)?.all ?? none);
    if (all.length === 0) return named;
    return named.length === 0 ? all : [...named, ...all];
  }

  /** Acknowledges, in order, what is handled. */
  #handled(item: Arrived): void {
    item.isHandled = true;
    for (let first = this.#begun[0]; first?.isHandled; first = this.#begun[0]) {
      this.#begun.shift();
      this.#acks.handled(first.socket, first.seq);
    }
    this.#run();
  }

  /** Undefined when every handler has finished. */
  #call(item: Arrived, frame: EventFrame): Promise<unknown> | undefined {
    const { id, name } = frame;
    const event = contentOf<ClientEvent>({ name }, frame);
    const registrations = this.#of(name);
    if (registrations.length === 0) this.#status.emit({ type: 'unhandled', id, name });
    item.begunAt = this.#serial;
    this.#calling = item;
    const pending = callEach(registrations, event, (error) =>
      this.#status.emit({ type: 'handler-error', error, id, name }),
    );
    this.#calling = undefined;
    if (!pending) return undefined;
    const all = pending.length > 1 ? Promise.all(pending) : pending[0];
    return within<unknown>(
      this.#handlerTimeoutMs,
      (done) => all?.then(done),
      () => this.#status.emit({ type: 'handler-timeout', event }),
    );
  }
}
