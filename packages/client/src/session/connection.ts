import {
  afterClose,
  defaults,
  type EdgeFrame,
  type Placement,
  type WelcomeFrame,
} from '@evenkeel/protocol/wire';
import { Requests } from '../calls/calls.js';
import { type AttemptHost, Attempts } from '../dial/attempts.js';
import { socketClass } from '../dial/place.js';
import { ClientError } from '../errors.js';
import { Acks } from '../events/acks.js';
import { EventQueue } from '../events/event-queue.js';
import { Mover, type MoverHost } from '../move/mover.js';
import { type ConnectOptions, limits, type WebSocketClass } from '../options.js';
import { StatusFeed } from '../status.js';
import { Topics } from '../topics/topics.js';
import { Link, type LinkOwner } from '../transport/edge-socket.js';
import { Liveness } from '../transport/liveness.js';

/** The three states of a client. A move happens inside `connected`. */
export type ClientState = 'connecting' | 'connected' | 'closed';
/** What may follow what. */
const transitions: Record<ClientState, readonly ClientState[]> = {
  connecting: ['connected', 'closed'],
  connected: ['connecting', 'closed'],
  closed: [],
};

/** One session's life over as many sockets as it takes. PROTOCOL.md, sections 4 (a move) and 5 (coming back). */
export class Connection implements LinkOwner, MoverHost, AttemptHost {
  state: ClientState = 'connecting';
  session: string | undefined;
  node: string | undefined;
  /** Nodes that had to do with the session, newest first. */
  from: string[];
  readonly status = new StatusFeed();
  readonly events: EventQueue;
  readonly topics: Topics;
  readonly requests: Requests;
  readonly acks: Acks;
  private readonly attempts: Attempts;
  private readonly liveness: Liveness;
  private readonly mover: Mover;
  private readonly Socket: WebSocketClass;
  /** Delivers: welcomed, not yet replaced. */
  active: Link | undefined;
  /** Of an attempt, until its `welcome`. */
  private dialing: Link | undefined;
  private generation = 0;
  /** This instance has had a `welcome`: it has a state to resume. */
  private hasState = false;
  /** When the last socket went, ms. */
  private lostAt = 0;
  private closing: Promise<void> | undefined;

  constructor(options: ConnectOptions, session: string | undefined, from: string[]) {
    this.session = session;
    this.from = from;
    this.Socket = socketClass(options);
    const random = options.random ?? Math.random;
    this.attempts = new Attempts(this, options, random);
    this.mover = new Mover(this, options.beforeMove, random);
    this.acks = new Acks(options.ackEvery ?? 16, options.ackAfterMs ?? 50);
    this.events = new EventQueue(this.acks, this.status, options.handlerTimeoutMs ?? 30_000);
    this.topics = new Topics(this.status, options.topicMemory ?? 512);
    // Ids must not meet those of an earlier page of the same session: services drop repeats by them.
    const prefix = `${Math.random().toString(36).slice(2, 10)}-`;
    this.requests = new Requests(prefix, options.maxPending ?? 1_000);
    this.liveness = new Liveness(
      defaults.heartbeatMs,
      () => [this.active, this.mover.link, this.dialing],
      (link) => this.abandon(link, 'no answer'),
    );
  }

  /** The first attempt. */
  start(): void {
    if (this.state === 'connecting') this.attempts.begin();
  }

  /** The page has become visible or the network has come back. */
  wake(): void {
    if (!this.attempts.hurry()) this.liveness.probe();
  }

  /** Is the socket still alive? */
  probe(): void {
    this.liveness.probe();
  }

  /** Sends what is queued, where it may go now. */
  flush(): void {
    const link = this.active;
    if (link && !link.isMoved && !this.mover.holdsAll) this.requests.flush(link, this.mover.holdsTopics);
  }

  placed(placement: Placement): void {
    this.session = placement.session;
    const link = this.open(placement.url, placement.ticket, placement.node);
    this.dialing = link;
    this.attempts.watch(limits.attemptMs, () => this.abandon(link, 'not open in time'));
  }

  refused(error: ClientError): void {
    void this.close(error);
  }

  opened(link: Link): void {
    if (link === this.dialing) {
      this.topics.takeLive(link, true);
      this.attempts.watch(limits.welcomeMs, () => this.abandon(link, 'no welcome in time'));
    }
    const awayMs = this.hasState && !this.active ? Date.now() - this.lostAt : undefined;
    const hello = { t: 'hello', resume: this.hasState, topics: this.topics.wanted, awayMs };
    link.send(JSON.stringify(hello));
    this.liveness.start();
  }

  received(link: Link, frame: EdgeFrame): void {
    switch (frame.t) {
      case 'event':
        if (link === this.active && !this.events.push(link, frame)) this.abandon(link, 'too many events');
        break;
      case 'message':
        if (!link.isMoved) this.topics.receive(link, frame);
        break;
      case 'welcome':
        if (!link.isWelcomed) this.welcomed(link, frame);
        break;
      case 'ok':
        this.requests.answer(frame);
        break;
      case 'error':
        if (frame.re !== undefined) this.requests.answer(frame);
        else this.status.emit({ type: 'error', code: frame.code, message: frame.message });
        break;
      case 'gap':
        if (frame.topic !== undefined) this.topics.receive(link, frame);
        else this.events.gap(frame);
        break;
      case 'move':
        if (link === this.active && !link.isMoved) this.mover.begin(frame);
        break;
      case 'moved':
        this.mover.moved(link, frame.received);
        break;
    }
  }

  ended(link: Link, code: number, reason: string): void {
    if (link === this.mover.link) {
      this.mover.targetEnded(code, reason || `closed with ${code}`);
    } else if (link === this.dialing) {
      this.dialing = undefined;
      this.liveness.stop();
      if (afterClose(code) === 'stop') this.stopped(code, reason);
      else this.attempts.failed(code, reason);
    } else if (link === this.active) {
      this.active = undefined;
      this.lostAt = Date.now();
      if (!this.mover.activeEnded(link, code)) this.lost(code, reason, false);
    } else this.mover.oldEnded(link);
  }

  /** The end. The running handler may finish (2 s); the last acknowledgement goes out before the close. */
  close(error?: ClientError): Promise<void> {
    this.closing ??= this.end(error);
    return this.closing;
  }

  private async end(error: ClientError | undefined): Promise<void> {
    this.transition('closed');
    const { active, dialing } = this;
    this.attempts.end();
    this.liveness.stop();
    this.mover.end();
    dialing?.close(1000);
    this.dialing = undefined;
    this.requests.fail(error ?? new ClientError('closed', 'the client was closed'));
    await this.events.stop(limits.closeMs);
    this.acks.flush();
    this.active = undefined;
    if (active) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limits.closeMs);
        active.close(1000, () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    this.status.emit({ type: 'closed', ...(error && { error }) });
  }

  /** A new link; its node is the newest that has to do with the session. */
  open(url: string, ticket: string, node: string | undefined): Link {
    if (node) this.from = [node, ...this.from.filter((n) => n !== node)].slice(0, 4);
    return new Link(this.Socket, url, ticket, ++this.generation, this);
  }

  private transition(to: ClientState): void {
    if (!transitions[this.state].includes(to)) throw new Error(`no way from ${this.state} to ${to}`);
    this.state = to;
  }

  private welcomed(link: Link, frame: WelcomeFrame): void {
    const { active } = this;
    const isMove = link === this.mover.link;
    const { node, session, resumed } = frame;
    const from = this.node;
    link.isWelcomed = this.hasState = true;
    this.session = session;
    this.node = node;
    this.from = [node];
    this.liveness.set(frame.heartbeatMs);
    this.acks.window = frame.window;
    this.events.window = frame.window;
    this.active = link;
    if (isMove) {
      const move = this.mover.welcomed(active);
      this.flush();
      this.status.emit({ type: 'moved', move, node, from });
    } else {
      this.dialing = undefined;
      this.attempts.succeeded();
      this.transition('connected');
      this.flush();
      this.status.emit({ type: 'connected', node, session, resumed });
    }
  }

  /** No socket is left. `isAtOnce`: it came in a move, the session waits elsewhere. */
  lost(code: number, reason: string, isAtOnce: boolean): void {
    this.mover.end();
    this.liveness.stop();
    this.lostAt = Date.now();
    if (!isAtOnce) this.requests.lost();
    if (this.state === 'closed') return;
    if (afterClose(code) === 'stop') {
      this.stopped(code, reason);
      return;
    }
    this.transition('connecting');
    const retryInMs = this.attempts.lost(code, isAtOnce);
    this.status.emit({ type: 'disconnected', code, reason, retryInMs });
  }

  private stopped(code: number, reason: string): void {
    const why = `the edge closed with ${code} ${reason}; coming back is no use`;
    void this.close(new ClientError(reason || 'refused', why));
  }

  private abandon(link: Link, reason: string): void {
    if (link.isGone) return;
    link.drop();
    this.ended(link, 1006, reason);
  }
}
