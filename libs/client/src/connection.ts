import {
  afterClose,
  closeCodes,
  defaults,
  type EdgeFrame,
  type MoveFrame,
  type WelcomeFrame,
} from '@evenkeel/protocol/wire';
import { Acks } from './acks.js';
import { backoffMs } from './backoff.js';
import { place, socketClass } from './dialer.js';
import { ClientError } from './errors.js';
import { EventQueue } from './events.js';
import { LookupError } from './gateway.js';
import { Link, type LinkOwner } from './link.js';
import { Liveness } from './liveness.js';
import { Move, type MoveHost } from './move.js';
import { type ConnectOptions, limits, type WebSocketClass } from './options.js';
import { Requests } from './requests.js';
import { StatusFeed } from './status.js';
import { Topics } from './topics.js';

/** The three states of a client. A move happens inside `connected`. */
export type ClientState = 'connecting' | 'connected' | 'closed';
/** What may follow what. */
const transitions: Record<ClientState, readonly ClientState[]> = {
  connecting: ['connected', 'closed'],
  connected: ['connecting', 'closed'],
  closed: [],
};

/** One session's life over as many sockets as it takes: attempts, moves, losses, the end. */
export class Connection implements LinkOwner, MoveHost {
  state: ClientState = 'connecting';
  session: string | undefined;
  node: string | undefined;
  /** Nodes that had to do with the session, newest first. */
  from: string[];
  readonly status = new StatusFeed();
  readonly events: EventQueue;
  readonly topics: Topics;
  readonly requests: Requests;
  readonly liveness: Liveness;
  private readonly acks: Acks;
  private readonly options: ConnectOptions;
  private readonly random: () => number;
  private readonly Socket: WebSocketClass;
  /** Delivers: welcomed, not yet replaced. */
  private active: Link | undefined;
  /** Of an attempt, until its `welcome`. */
  private dialing: Link | undefined;
  private move: Move | undefined;
  private lookup: AbortController | undefined;
  /** Of the wait before an attempt, then of the attempt itself. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isWaiting = false;
  private attempt = 0;
  private refusals = 0;
  private generation = 0;
  private welcomedAt = 0;
  /** When the last socket went, ms; 0: this instance has had none, so there is no state to resume. */
  private lostAt = 0;

  constructor(options: ConnectOptions, session: string | undefined, from: string[]) {
    this.options = options;
    this.session = session;
    this.from = from;
    this.Socket = socketClass(options);
    this.random = options.random ?? Math.random;
    this.acks = new Acks(options.ackEvery ?? 16, options.ackAfterMs ?? 50);
    this.events = new EventQueue(this.acks, this.status, options.handlerTimeoutMs ?? 30_000);
    this.topics = new Topics(this.status, options.topicMemory ?? 512);
    const prefix = `${this.random().toString(36).slice(2, 10)}-`;
    this.requests = new Requests(prefix, options.maxPending ?? 1_000);
    this.liveness = new Liveness(
      defaults.heartbeatMs,
      () => [this.active, this.move?.link, this.dialing],
      (link) => this.silent(link),
    );
  }

  /** The next attempt, now. */
  dial(): void {
    if (this.state !== 'connecting') return;
    clearTimeout(this.timer);
    this.isWaiting = false;
    this.status.emit({ type: 'connecting', attempt: this.attempt });
    const controller = new AbortController();
    this.lookup = controller;
    place(this.options, this.random, { session: this.session, from: this.from }, controller).then(
      (placement) => {
        if (this.lookup !== controller) return;
        this.lookup = undefined;
        this.refusals = 0;
        this.session = placement.session;
        this.dialing = this.open(placement.url, placement.ticket, placement.node);
        this.timer = setTimeout(() => this.dialing && this.silent(this.dialing), limits.attemptMs);
      },
      (error: unknown) => {
        if (this.lookup !== controller) return;
        this.lookup = undefined;
        this.lookupFailed(error);
      },
    );
  }

  /** Do not wait out a backoff: the network is back. */
  hurry(): void {
    if (this.isWaiting) this.dial();
    else this.liveness.probe();
  }

  /** Sends what is queued, where it may go now. */
  flush(): void {
    const link = this.active;
    if (link && !link.isMoved) this.requests.flush(link, this.move?.link?.isOpen === true);
  }

  opened(link: Link): void {
    const isResuming = this.welcomedAt > 0;
    const awayMs = isResuming && !this.active && this.lostAt > 0 ? Date.now() - this.lostAt : undefined;
    const topics = this.topics.wanted;
    if (link === this.dialing) {
      this.topics.takeLive(link, true);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.silent(link), limits.welcomeMs);
    }
    link.send(JSON.stringify({ t: 'hello', resume: isResuming, topics, awayMs }));
    this.liveness.start();
  }

  received(link: Link, frame: EdgeFrame): void {
    switch (frame.t) {
      case 'event':
        if (link !== this.active) return;
        if (!this.events.push(link, frame)) this.silent(link);
        return;
      case 'message':
        return this.topics.receive(link, frame);
      case 'welcome':
        return this.welcomed(link, frame);
      case 'ok':
        return this.requests.answer(frame);
      case 'error':
        if (frame.re !== undefined) return this.requests.answer(frame);
        return this.status.emit({ type: 'error', code: frame.code, message: frame.message });
      case 'gap':
        return frame.topic ? this.topics.receive(link, frame) : this.events.gap(frame);
      case 'move':
        if (link === this.active && !link.isMoved) this.beginMove(frame);
        return;
      case 'moved':
        if (link === this.active) this.movedAway(link, frame.received);
        return;
    }
  }

  ended(link: Link, code: number, reason: string): void {
    if (link === this.move?.link) return this.targetFailed(code, reason || `closed with ${code}`);
    if (link === this.dialing) {
      this.dialing = undefined;
      return this.attemptFailed(code, reason);
    }
    if (link !== this.active) return;
    this.active = undefined;
    this.lostAt = Date.now();
    const { move } = this;
    // 4501 in a move: our own new socket may be the one that has won.
    if (!move || (afterClose(code) === 'stop' && code !== closeCodes.superseded.code)) {
      return this.lost(code, reason, link.isMoved);
    }
    move.dial();
    if (!link.isMoved) {
      this.requests.lost();
      if (move.link) this.topics.takeLive(move.link, false);
    }
    move.bound(limits.moveGraceMs);
  }

  dialTarget(move: Move): Link {
    return this.open(move.frame.url, move.frame.ticket, (move.frame as { node?: string }).node);
  }

  expired(move: Move): void {
    if (move === this.move) this.targetFailed(1006, 'deadline');
  }

  /** The end. Handlers are stopped; the last acknowledgement goes out before the close. */
  async close(error?: ClientError): Promise<void> {
    if (this.state === 'closed') return;
    const { active, move, dialing } = this;
    this.transition('closed');
    clearTimeout(this.timer);
    this.liveness.stop();
    this.lookup?.abort();
    this.lookup = this.move = this.dialing = undefined;
    move?.end();
    move?.link?.close(1000);
    dialing?.close(1000);
    const end = error ?? new ClientError('closed', 'the client was closed');
    this.requests.fail(end);
    await this.events.stop(limits.closeMs);
    this.acks.flush();
    if (active && !active.isGone) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limits.closeMs);
        active.close(1000, () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.active = undefined;
    this.status.emit({ type: 'closed', ...(error && { error }) });
  }

  private open(url: string, ticket: string, node: string | undefined): Link {
    if (node) this.from = [node, ...this.from.filter((n) => n !== node)].slice(0, 4);
    return new Link(this.Socket, url, ticket, ++this.generation, node, this);
  }

  private transition(to: ClientState): void {
    if (!transitions[this.state].includes(to)) throw new Error(`no way from ${this.state} to ${to}`);
    this.state = to;
  }

  private welcomed(link: Link, frame: WelcomeFrame): void {
    if (link.isWelcomed) return;
    link.isWelcomed = true;
    const { move, active } = this;
    const from = this.node;
    this.session = frame.session;
    this.node = link.node = frame.node;
    this.from = [frame.node];
    this.liveness.heartbeatMs = frame.heartbeatMs;
    this.acks.window = frame.window;
    this.welcomedAt = Date.now();
    if (link === move?.link) {
      move.end();
      this.move = undefined;
      if (active && !active.isMoved) {
        // The old edge never finished: what it took is unknown.
        this.requests.lost();
        this.topics.takeLive(link, false);
      }
      this.acks.flush();
      active?.close(1000);
      this.active = link;
      this.flush();
      this.status.emit({ type: 'moved', move: move.frame.move, node: frame.node, from });
    } else if (link === this.dialing) {
      clearTimeout(this.timer);
      this.dialing = undefined;
      this.active = link;
      this.transition('connected');
      this.flush();
      const { session, node, resumed } = frame;
      this.status.emit({ type: 'connected', node, session, resumed });
    }
  }

  /** The newest move wins: an edge that asks again has given the earlier one up. */
  private beginMove(frame: MoveFrame): void {
    const earlier = this.move;
    if (earlier?.frame.move === frame.move && earlier.frame.ticket === frame.ticket) return;
    earlier?.end();
    earlier?.link?.close(1000);
    this.topics.forgetKept();
    this.move = new Move(frame, this);
    this.status.emit({ type: 'moving', move: frame.move, reason: frame.reason });
    this.move.start(this.options.beforeMove, this.random);
  }

  private movedAway(link: Link, received: number): void {
    link.isMoved = true;
    this.requests.moved(received);
    this.events.flushAfter(link);
    const target = this.move?.link;
    if (this.move && target) {
      this.topics.takeLive(target, true);
      this.move.bound(limits.moveGraceMs);
      return;
    }
    // Given away with no second socket of ours: ask the gateway where it is.
    this.acks.flush();
    link.close(1000);
    this.active = undefined;
    this.lost(closeCodes.moved.code, closeCodes.moved.reason, true);
  }

  private targetFailed(code: number, reason: string): void {
    const { move, active } = this;
    if (!move) return;
    move.end();
    move.link?.drop();
    this.move = undefined;
    this.topics.forgetKept();
    this.status.emit({ type: 'move-failed', move: move.frame.move, reason });
    if (active && !active.isMoved) return this.flush();
    this.acks.flush();
    active?.close(1000);
    this.active = undefined;
    this.lost(code, reason, true);
  }

  /** No socket is left. */
  private lost(code: number, reason: string, isAtOnce: boolean): void {
    const { move } = this;
    move?.end();
    move?.link?.drop();
    this.move = undefined;
    this.lostAt = Date.now();
    this.liveness.stop();
    if (!isAtOnce) this.requests.lost();
    if (afterClose(code) === 'stop') return this.stopped(code, reason);
    if (this.lostAt - this.welcomedAt > limits.stableMs) this.attempt = 0;
    this.transition('connecting');
    const retryInMs = isAtOnce && this.attempt === 0 ? 0 : this.delayMs(code);
    this.status.emit({ type: 'disconnected', code, reason, retryInMs });
    this.retry(retryInMs);
  }

  private attemptFailed(code: number, reason: string): void {
    clearTimeout(this.timer);
    this.liveness.stop();
    if (afterClose(code) === 'stop') return this.stopped(code, reason);
    const retryInMs = this.delayMs(code);
    this.status.emit({ type: 'connect-failed', code, reason, retryInMs });
    this.retry(retryInMs);
  }

  private lookupFailed(error: unknown): void {
    const code = error instanceof ClientError ? error.code : 'unreachable';
    const reason = error instanceof Error ? error.message : String(error);
    const status = error instanceof LookupError ? error.status : 0;
    const isRefused = status === 401 && (!this.options.getToken || ++this.refusals >= 3);
    if (isRefused || status === 400) {
      void this.close(new ClientError(isRefused ? 'unauthorized' : 'refused', reason, error));
      return;
    }
    const told = error instanceof LookupError ? error.retryInMs : undefined;
    const retryInMs = told ?? this.delayMs(1006);
    this.status.emit({ type: 'connect-failed', code, reason, retryInMs });
    this.retry(retryInMs);
  }

  private stopped(code: number, reason: string): void {
    void this.close(
      new ClientError(reason || 'refused', `the edge closed with ${code} ${reason}: coming back is no use`),
    );
  }

  /** A close that asks to come back is answered within a second, unless that has just been tried. */
  private delayMs(code: number): number {
    const { minMs = 500, maxMs = 20_000 } = this.options.backoff ?? {};
    const isSoon = afterClose(code) === 'reconnect' && this.attempt === 0;
    return backoffMs(
      isSoon ? 0 : this.attempt,
      isSoon ? { minMs: 1_000, maxMs: 1_000 } : { minMs, maxMs },
      this.random,
    );
  }

  private retry(inMs: number): void {
    this.attempt++;
    this.isWaiting = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.dial(), inMs);
  }

  private silent(link: Link): void {
    link.drop();
    this.ended(link, 1006, 'no answer');
  }
}
