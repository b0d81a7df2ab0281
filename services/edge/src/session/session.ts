import type { Consumer } from '@evenkeel/broker';
import {
  type CloseCode,
  clientFrame,
  clientFrameTypes,
  closeCodes,
  errorCodes,
  type GapReason,
  gapReasons,
  type ParsedClientFrame,
  sessionQueue,
} from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { errorFrame, gapFrame, movedFrame, pongFrame, welcomeFrame } from '../frame/frames.js';
import { makeQueue } from '../queue/spec.js';
import type { Connection, ConnectionOwner } from '../transport/connection.js';
import { type Found, OwnershipError, searchMs, takeOwnership } from './attach.js';
import type { SessionContext } from './context.js';
import { Outbox } from './outbox.js';
import { ClientRequests } from './requests.js';
import { Subscriptions } from './subscriptions.js';

/** A session's life on one edge; each state is left for a later one only. */
export const sessionStates = {
  /** Connection open, hello not yet here. */
  opened: 'opened',
  /** Getting hold of the queue. */
  attaching: 'attaching',
  /** Consuming and delivering. */
  attached: 'attached',
  /** No longer consuming; what is held is being settled. */
  releasing: 'releasing',
  /** `moved` has been sent: only acks are looked at. */
  moved: 'moved',
  gone: 'gone',
} as const;
export type SessionState = (typeof sessionStates)[keyof typeof sessionStates];

/** How a session left this edge. */
export interface Release {
  /** Deliveries given back that had been written to the connection: the queue's head; undefined: go by the broker's flag. */
  suspect: number | undefined;
  /** The window was full, so the queue may have overflowed. */
  isFull: boolean;
}

/** A planned move of this session, from the `move` frame to its end. */
export interface PlannedMove {
  readonly move: string;
  readonly deadlineAtMs: number;
  /** Said once, of how it ended. */
  onEnd(outcome: 'done' | 'failed' | 'timedOut'): void;
}

const plainAck = /^\{"t":"ack","seq":(\d{1,15})\}$/;

/** Longest wait for accepted publishes to be confirmed and for the topic queue to pass, within a move. */
const flushTimeoutMs = 1_000;
/** A client that keeps its old socket after a move loses it after this. */
const oldSocketMs = 5_000;

/** One session on this edge: its connection, its queue's consumer, and the way from one to the other. */
export class Session implements ConnectionOwner {
  readonly key: string;
  readonly claims: TicketClaims;
  readonly connection: Connection;
  state: SessionState = sessionStates.opened;
  attachedAtMs = 0;
  /** When an event was last written, ms: the idle go first. */
  activeAtMs = 0;
  outbox: Outbox;
  /** Events written since the load was last sampled. */
  recentEvents = 0;
  recentBytes = 0;
  /** Moving average of events and bytes a second, kept by {@link Sweeper}. */
  eventsPerSecond = 0;
  bytesPerSecond = 0;
  readonly #topics: Subscriptions;
  readonly #requests: ClientRequests;
  move: PlannedMove | undefined;
  readonly #context: SessionContext;
  readonly #queue: string;
  #consumer: Consumer | undefined;
  #attaching: Promise<void> | undefined;
  #releasing: Promise<Release> | undefined;
  #welcome: (() => void) | undefined;
  #isCheckingOverflow = false;
  #ackedSeq = 0;

  constructor(context: SessionContext, connection: Connection) {
    this.#context = context;
    this.connection = connection;
    this.claims = connection.claims;
    this.key = `${connection.claims.uid}.${connection.claims.sid}`;
    this.#queue = sessionQueue(connection.claims.uid, connection.claims.sid);
    const say = (frame: string) => this.#say(frame);
    this.#topics = new Subscriptions(connection, context.hub, {
      limit: context.config.maxTopics,
      send: say,
      gap: (reason, topic) => this.gap(reason, topic),
    });
    this.#requests = new ClientRequests(context, connection.claims, this.#topics, say);
    this.outbox = this.#makeOutbox('client');
  }

  /** Whether a planned move of it may begin. */
  get isMovable(): boolean {
    return this.state === sessionStates.attached && this.move === undefined;
  }

  /** Begins at once for a bare client, else when its hello has come. */
  start(): void {
    this.#context.directory.track(this);
    if (!this.connection.isBare) return;
    this.outbox = this.#makeOutbox('write');
    this.#attaching = this.#attach({ t: 'hello', ack: 'write' });
  }

  // --- from the socket ---

  onFrame(text: string): void {
    // Most frames are acks; written as every client writes them they need no parser.
    const ack = plainAck.exec(text);
    if (ack && this.state !== sessionStates.opened) return this.#onAck(Number(ack[1]));
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return this.#violate();
    }
    const parsed = clientFrame.safeParse(value);
    if (!parsed.success) return this.#onUnreadable(value);
    const frame = parsed.data;
    if (this.state === sessionStates.moved) {
      if (frame.t === 'ack') this.#onAck(frame.seq);
      return;
    }
    if ((frame.t === 'hello') !== (this.state === sessionStates.opened)) return this.#violate();
    switch (frame.t) {
      case 'hello':
        this.outbox = this.#makeOutbox(frame.ack ?? 'client');
        this.#attaching = this.#attach(frame);
        return;
      case 'ack':
        return this.#onAck(frame.seq);
      case 'ping':
        this.connection.send(pongFrame);
        return;
      default:
        return this.#requests.handle(frame);
    }
  }

  onDrain(): void {
    if (this.connection.hasDropped) {
      this.connection.hasDropped = false;
      for (const topic of this.#topics) this.gap(gapReasons.slowConsumer, topic);
    }
    if (this.state === sessionStates.attached || this.state === sessionStates.releasing) this.outbox.flush();
  }

  onClose(): void {
    this.#context.directory.untrack(this);
    this.#topics.leaveAll();
    this.outbox.socketClosed();
    this.#endMove('failed');
    if (this.state === sessionStates.gone || this.state === sessionStates.moved) return;
    void this.release('resume');
  }

  // --- attaching ---

  async #attach(hello: Extract<ParsedClientFrame, { t: 'hello' }>): Promise<void> {
    this.state = sessionStates.attaching;
    const { directory, log } = this.#context;
    const isLive = () => this.state === sessionStates.attaching && this.connection.isOpen;
    const previous = directory.get(this.key);
    if (previous && previous.claims.epoch > this.claims.epoch) return this.#refuse(closeCodes.staleTicket);
    directory.set(this);
    try {
      await Promise.all((hello.topics ?? []).map((topic) => this.#topics.join(topic, undefined)));
      const wasHeldHere =
        previous?.state === sessionStates.attached || previous?.state === sessionStates.releasing;
      const predecessor = previous ? await previous.release('resume') : undefined;
      const found = await takeOwnership(this.#context, this, wasHeldHere ? predecessor : undefined, isLive);
      if (!isLive()) return;
      this.outbox.suspect = found.suspect;
      this.#welcome = () => this.#sendWelcome(hello, found);
      this.#consumer = await this.#consume(isLive);
      // A delivery may have come first and made it attached already; only a release meanwhile ends it here.
      if (isLive()) this.#welcome?.();
      else if (this.#releasing) await this.#consumer.cancel();
    } catch (error) {
      if (!this.connection.isOpen) return;
      if (error instanceof OwnershipError) {
        return this.#refuse(
          error.code === 'stale-ticket' ? closeCodes.staleTicket : closeCodes.takeoverFailed,
        );
      }
      log.warn({ err: error, session: this.key }, 'session not attached');
      this.#refuse(closeCodes.brokerUnavailable);
    }
  }

  async #consume(isLive: () => boolean): Promise<Consumer> {
    const { consumers } = this.#context;
    return await consumers.consume(this.#queue, {
      onDelivery: (delivery) => {
        if (this.state === sessionStates.attaching && isLive()) this.#welcome?.();
        if (this.state !== sessionStates.attached && this.state !== sessionStates.releasing) {
          delivery.requeue();
          return;
        }
        this.outbox.offer(delivery);
      },
      onLost: () => this.outbox.forget(),
      prepare: () => this.#restoreQueue(),
    });
  }

  /** After a loss of the broker's channel: the queue should still be there; if it is not, that is told. */
  async #restoreQueue(): Promise<void> {
    const { topology } = this.#context;
    const found = await topology.checkQueue(this.#queue);
    await makeQueue(this.#context, this.claims.uid, this.claims.sid);
    if (!found) this.gap(gapReasons.sessionExpired);
    else if (found.consumers > 0) void this.#yieldIfTaken();
  }

  /** While this edge had no broker another may have taken the session over: then this is the older connection. */
  async #yieldIfTaken(): Promise<void> {
    const { takeovers } = this.#context;
    while (this.state === sessionStates.attached && this.connection.isOpen) {
      const { outcome } = await takeovers.search(this, searchMs);
      if (outcome === 'refused') return this.connection.close(closeCodes.superseded);
      // Nobody: the other consumer was perhaps this edge's own, of the lost connection.
      if (outcome !== 'unknown' || !(await this.#isShared())) return;
    }
  }

  /** Whether somebody else consumes the queue too; when in doubt, yes. */
  async #isShared(): Promise<boolean> {
    const found = await this.#context.topology.checkQueue(this.#queue).catch(() => undefined);
    // Recovery is paced: this edge's own consumer may not be back yet.
    const own = this.#consumer?.state === 'active' ? 1 : 0;
    return found === undefined || found.consumers > own;
  }

  #sendWelcome(hello: Extract<ParsedClientFrame, { t: 'hello' }>, found: Found): void {
    this.#welcome = undefined;
    this.state = sessionStates.attached;
    const { config, now, tally } = this.#context;
    this.attachedAtMs = now();
    this.activeAtMs = this.attachedAtMs;
    tally.handshake(this.attachedAtMs - this.connection.openedAtMs);
    if (this.connection.isBare) return;
    this.connection.send(
      welcomeFrame({
        session: this.claims.sid,
        node: config.node,
        resumed: found.isResumed,
        heartbeatMs: config.heartbeatMs,
        window: config.window,
      }),
    );
    const isMove = this.claims.move !== undefined;
    if (hello.resume && !isMove) for (const topic of this.#topics) this.gap(gapReasons.connectionLost, topic);
    if (!found.isResumed) {
      // Only who had the session can miss something: a first attempt that failed halfway leaves a session id and no more.
      if (hello.resume) this.gap(gapReasons.sessionExpired);
      return;
    }
    if (found.isOverflowed) this.gap(gapReasons.overflow);
    const outlived = (hello.awayMs ?? 0) + config.ackTimeoutMs >= config.sessionLifetimeMs;
    if (outlived) this.gap(gapReasons.expired);
  }

  #refuse(why: CloseCode): void {
    this.#context.directory.remove(this);
    this.state = sessionStates.gone;
    this.#topics.leaveAll();
    this.connection.close(why);
  }

  // --- leaving ---

  /**
   * Lets the session go: stops consuming, settles what is held, in order. With `move` the old socket still
   * works and takes part: it gets the rest, then `moved`, and has a moment to acknowledge. Everybody who
   * asks gets the same answer.
   */
  release(mode: 'move' | 'resume'): Promise<Release> {
    this.#releasing ??= this.#release(mode);
    return this.#releasing;
  }

  async #release(mode: 'move' | 'resume'): Promise<Release> {
    const { config, directory } = this.#context;
    const wasAttaching = this.state === sessionStates.attaching;
    this.state = sessionStates.releasing;
    if (wasAttaching) {
      this.#context.takeovers.abandon(this);
      await this.#attaching;
    }
    const isFull = this.outbox.isFull;
    await this.#consumer?.cancel();
    if (mode === 'move' && this.connection.isOpen && !this.connection.isBare && !wasAttaching) {
      await this.#settleThroughSocket(config.settleTimeoutMs);
    }
    const { requeued, written } = this.outbox.requeueAll();
    // Requeued messages are back in their places only once the queue has seen it: the next edge must not look earlier.
    if (requeued > 0) await this.#consumer?.barrier();
    const hasSaidMoved = (this.state as SessionState) === sessionStates.moved;
    if (!hasSaidMoved) this.state = sessionStates.gone;
    directory.remove(this);
    this.#topics.leaveAll();
    this.#endMove(mode === 'move' ? 'done' : 'failed');
    this.#dismissSocket(hasSaidMoved);
    return { suspect: written, isFull };
  }

  async #settleThroughSocket(settleTimeoutMs: number): Promise<void> {
    await this.outbox.flushed(settleTimeoutMs);
    await Promise.all([this.#topics.settle(flushTimeoutMs), this.#requests.answered(flushTimeoutMs)]);
    if (!this.connection.isOpen) return;
    this.connection.send(movedFrame(this.outbox.seq, this.#requests.received));
    this.state = sessionStates.moved;
    // `moved` is the last frame here: what topics carry from now on comes from the other edge alone.
    this.#topics.leaveAll();
    await this.outbox.settled(settleTimeoutMs);
  }

  #dismissSocket(hasSaidMoved: boolean): void {
    if (!this.connection.isOpen) return;
    if (!hasSaidMoved) return this.connection.close(closeCodes.superseded);
    setTimeout(() => this.connection.close(closeCodes.moved), oldSocketMs).unref();
  }

  /** Ends the socket for a reason of the edge's or an operator's. */
  close(why: CloseCode): void {
    this.connection.close(why);
  }

  #endMove(outcome: 'done' | 'failed' | 'timedOut'): void {
    const { move } = this;
    this.move = undefined;
    move?.onEnd(outcome);
  }

  // --- once a second ---

  /** Looks for deadlines that have passed. */
  sweep(nowMs: number): void {
    const { config } = this.#context;
    if (this.state === sessionStates.opened && nowMs - this.connection.openedAtMs > config.helloTimeoutMs) {
      return this.connection.close(closeCodes.helloTimeout);
    }
    if (
      this.connection.slowSinceMs !== undefined &&
      nowMs - this.connection.slowSinceMs > config.slowConsumerMs
    ) {
      return this.connection.close(closeCodes.slowConsumer);
    }
    const oldest = this.outbox.oldestAtMs;
    if (oldest !== undefined && nowMs - oldest > config.ackTimeoutMs)
      return this.connection.close(closeCodes.ackTimeout);
    if (this.move && nowMs > this.move.deadlineAtMs) this.#endMove('timedOut');
    this.#requests.sweep(nowMs);
    this.eventsPerSecond = this.eventsPerSecond * 0.7 + this.recentEvents * 0.3;
    this.bytesPerSecond = this.bytesPerSecond * 0.7 + this.recentBytes * 0.3;
    this.recentEvents = 0;
    this.recentBytes = 0;
  }

  // --- frames ---

  #onAck(seq: number): void {
    const isStalled = this.outbox.isFull && this.state === sessionStates.attached;
    if (!isStalled && !this.#isCheckingOverflow) {
      if (!this.outbox.ack(seq)) this.#violate();
      return;
    }
    // While the window was full the queue may have overflowed. Look before making room: afterwards it cannot be told.
    if (seq > this.outbox.seq) return this.#violate();
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    if (this.#isCheckingOverflow) return;
    this.#isCheckingOverflow = true;
    void this.#checkOverflow();
  }

  async #checkOverflow(): Promise<void> {
    try {
      const counts = await this.#context.topology.checkQueue(this.#queue);
      if (counts && counts.messages >= this.#context.config.sessionMaxLength) this.gap(gapReasons.overflow);
    } catch {
      // Without the broker nothing is delivered either; the next full window is looked at again.
    }
    this.#isCheckingOverflow = false;
    this.outbox.ack(this.#ackedSeq);
  }

  gap(reason: GapReason, topic?: string): void {
    if (this.connection.isBare) return;
    this.#context.tally.gaps += 1;
    this.#say(gapFrame(reason, topic));
  }

  #onUnreadable(value: unknown): void {
    const frame = value as { t?: unknown; id?: unknown } | null;
    const isUnknown =
      typeof frame === 'object' && typeof frame?.t === 'string' && !clientFrameTypes.has(frame.t);
    if (!isUnknown || this.state === sessionStates.opened) return this.#violate();
    if (this.state === sessionStates.moved) return;
    const id = typeof frame.id === 'string' ? frame.id.slice(0, 128) : undefined;
    this.connection.send(
      errorFrame(id, errorCodes.unknownType, `'${String(frame.t).slice(0, 64)}' is no kind of frame`),
    );
  }

  /** `moved` is the last frame: what is said later belongs to the next edge, or to nobody. */
  #say(frame: string): void {
    if (this.state !== sessionStates.moved) this.connection.send(frame);
  }

  #violate(): void {
    this.connection.close(closeCodes.badFrame);
  }

  #makeOutbox(ackMode: 'client' | 'write'): Outbox {
    const { config, now, tally } = this.#context;
    return new Outbox(this.connection, {
      ackMode,
      window: config.window,
      highWatermarkBytes: config.highWatermarkBytes,
      now,
      onWritten: (bytes) => {
        tally.delivered += 1;
        tally.deliveredBytes += bytes;
        this.recentEvents += 1;
        this.recentBytes += bytes;
        this.activeAtMs = now();
      },
      onReplied: (id) => this.#requests.replied(id),
    });
  }
}
