import { afterClose, type EdgeFrame, type Placement, type WelcomeFrame } from '@evenkeel/protocol/wire';
import { Calls } from '../calls/calls.js';
import { Attempts } from '../dial/attempts.js';
import type { AttemptHost } from '../dial/host.js';
import { ClientError } from '../errors.js';
import { Acks } from '../events/acks.js';
import { EventQueue } from '../events/event-queue.js';
import * as limits from '../limits.js';
import { Mover, type MoverHost, superseded } from '../move/mover.js';
import type { ConnectOptions } from '../options.js';
import { StatusFeed } from '../status.js';
import { atMostSinceMs, thisMoment, timerMs, within } from '../time.js';
import { Topics } from '../topics/topics.js';
import { EdgeSocket, type EdgeSocketOwner } from '../transport/edge-socket.js';
import { Liveness } from '../transport/liveness.js';
import { socketClass, type WebSocketClass } from '../transport/web-socket.js';
import type { Saved } from './session-store.js';

/**
 * The states of a client. A move happens inside `connected`; nothing follows `closed`.
 * @example
 * const state: ClientState = client.state; // connecting, connected, closed
 */
export type ClientState = 'connecting' | 'connected' | 'closed';

/** One session's life over as many sockets as it takes. PROTOCOL.md, sections 4 (a move) and 5 (coming back). */
export class Connection implements EdgeSocketOwner, MoverHost, AttemptHost {
  state: ClientState = 'connecting';
  /** Why it is closed. */
  endedBy: ClientError | undefined;
  session: string | undefined;
  /** Proves to a gateway that the session is this user's. */
  resume: string | undefined;
  /** Says what the user may do, to edges. */
  pass: string | undefined;
  node: string | undefined;
  /** Nodes that had to do with the session, newest first. */
  from: string[];
  /** The session's id is kept in the tab's storage, not given by the application. */
  isOfTab = false;
  readonly statusFeed = new StatusFeed();
  readonly eventQueue: EventQueue;
  readonly topicTable: Topics;
  readonly calls: Calls;
  readonly acks: Acks;
  readonly options: ConnectOptions;
  readonly random: () => number;
  readonly #attempts = new Attempts(this);
  readonly #liveness: Liveness;
  readonly #mover = new Mover(this);
  readonly #WebSocket: WebSocketClass;
  /** Delivers: welcomed, not yet replaced. */
  activeSocket: EdgeSocket | undefined;
  /** Of an attempt, until its `welcome`. */
  #dialing: EdgeSocket | undefined;
  /** This instance has had a `welcome`: it has a state to resume. */
  #hasState = false;
  /** When the last socket was last heard. */
  #heard = thisMoment();
  #closing: Promise<void> | undefined;
  #parting: Promise<boolean> | undefined;
  /** Set while `bye` waits for its answer. */
  #parted: ((hasEnded: boolean) => void) | undefined;

  constructor(options: ConnectOptions, { session, resume, from = [] }: Saved) {
    this.session = session;
    this.resume = resume;
    this.from = from;
    this.#WebSocket = socketClass(options.WebSocket);
    this.options = options;
    this.random = options.random ?? Math.random;
    this.acks = new Acks(options.ackEvery ?? 16, options.ackAfterMs ?? 50);
    this.eventQueue = new EventQueue(this.acks, this.statusFeed, timerMs(options.handlerTimeoutMs ?? 30_000));
    this.topicTable = new Topics(this.statusFeed, options.topicMemory ?? 512);
    // Ids must not meet those of an earlier page of the same session: services drop repeats by them.
    const prefix = `${Math.random().toString(36).slice(2, 10)}-`;
    this.calls = new Calls(prefix, options.maxPending ?? 1_000, () => this.flushNow());
    this.#liveness = new Liveness(
      limits.heartbeatMs,
      () => [this.activeSocket, this.#mover.socket, this.#dialing],
      (socket) => this.#abandon(socket, 'no answer'),
      () => this.#sayBusy(),
    );
  }

  /** The first attempt. */
  start(): void {
    if (this.state === 'connecting') this.#attempts.begin();
  }

  /** The page has become visible or the network has come back. */
  wake(): void {
    if (!this.#attempts.hurry()) this.#liveness.probe();
  }

  /** Is the socket still alive? */
  probe(): void {
    this.#liveness.probe();
  }

  /** The page is left, for good or into the page cache: nothing more comes to it, and the session is free for the next one. */
  leave(): void {
    this.acks.flushNow();
    this.#mover.end();
    this.activeSocket?.close(1000);
    this.#dialing?.close(1000);
  }

  /**
   * The page is back. `taken`: another has had the session meanwhile, or has it until it hears of this one, and has left this
   * behind; what that one handled, this one does not know.
   */
  back(taken: Saved | undefined): void {
    if (taken?.session) {
      this.session = taken.session;
      this.resume = taken.resume;
    }
    if (taken && this.#hasState) this.eventQueue.taken();
    const socket = this.activeSocket ?? this.#dialing;
    if (socket?.isGone) this.ended(socket, 1006, 'the page was left');
    this.wake();
  }

  /** An edge knows which topics are wanted, and has to be told what changes. */
  get hasToldTopics(): boolean {
    return this.state === 'connected' || (this.state === 'connecting' && this.#dialing?.isOpen === true);
  }

  /** Sends what is queued, where it may go now. */
  flushNow(): void {
    const socket = this.activeSocket;
    if (socket && !socket.isMoved && !this.#mover.holdsAll)
      this.calls.flushNow(socket, this.#mover.holdsTopics);
  }

  exchange(token: string, signal: AbortSignal): Promise<unknown> {
    const answer = this.calls.open('refresh', token, undefined, { signal });
    this.flushNow();
    return answer;
  }

  placed(placement: Placement): void {
    this.session = placement.session;
    this.resume = placement.resume;
    this.pass = placement.pass;
    const socket = this.open(placement.url, placement.ticket, placement.node);
    this.#dialing = socket;
    this.#attempts.watch(limits.attemptMs, () => this.#abandon(socket, 'not open in time'));
  }

  refused(error: ClientError): void {
    void this.close(error);
  }

  opened(socket: EdgeSocket): void {
    if (socket === this.#dialing) {
      this.topicTable.restart(socket);
      this.#attempts.watch(limits.welcomeMs, () => this.#abandon(socket, 'no welcome in time'));
    }
    const awayMs = this.#hasState && !this.activeSocket ? atMostSinceMs(this.#heard) : undefined;
    const from = this.eventQueue.last;
    socket.after = from;
    const last = from?.connection && { connection: from.connection, seq: from.receivedSeq };
    const { pass, topicTable } = this;
    const hello = { resume: this.#hasState, topics: topicTable.wanted, awayMs, last, pass };
    socket.send(JSON.stringify({ t: 'hello', ...hello, ...this.adds?.(socket) }));
    this.#liveness.start();
  }

  /** What parts add to `hello`, or say in place of what stands there. */
  adds?(socket: EdgeSocket): object;

  /** `take`: of what travels as an event and is none: called if it is no repeat, before what is being handled has settled. */
  received(socket: EdgeSocket, frame: EdgeFrame, take?: () => void): void {
    switch (frame.t) {
      case 'event':
        if (socket === this.activeSocket && !this.eventQueue.push(socket, frame, take))
          this.#abandon(socket, 'too many events');
        break;
      case 'message':
      case 'mark':
        if (!socket.isMoved) this.topicTable.receive(socket, frame);
        break;
      case 'welcome':
        if (!socket.isWelcomed) this.#welcomed(socket, frame);
        break;
      case 'ok':
        this.calls.answered(frame);
        break;
      case 'error':
        if (frame.re !== undefined) this.calls.answered(frame);
        else if (frame.topic) this.topicTable.ended(frame.topic, frame.code);
        else this.statusFeed.emit({ type: 'error', code: frame.code, message: frame.message });
        break;
      case 'gap':
        if (frame.topic !== undefined) this.topicTable.receive(socket, frame);
        else this.eventQueue.gap(frame);
        break;
      case 'move':
        if (socket === this.activeSocket && !socket.isMoved) this.#mover.begin(frame);
        break;
      case 'moved':
        this.#mover.moved(socket, frame);
        break;
      case 'expiring':
        void this.#attempts.refresh();
        break;
      case 'unsubscribed':
        this.topicTable.ended(frame.topic, frame.reason);
        break;
    }
  }

  ended(socket: EdgeSocket, code: number, reason: string): void {
    if (
      this.isOfTab &&
      code === superseded &&
      !this.#mover.socket &&
      socket === (this.activeSocket ?? this.#dialing)
    ) {
      // Another tab has a copy of the session's id, which nobody gave it: that one has it now, and what waits here. This one begins another.
      this.#mover.end();
      if (this.#hasState) this.eventQueue.taken();
      this.session = this.resume = undefined;
      this.from = [];
      code = 1006;
    }
    if (socket === this.#mover.socket) {
      this.#mover.targetEnded(code, reason || `closed with ${code}`);
    } else if (socket === this.#dialing) {
      this.#dialing = undefined;
      if (!this.#hasState) this.topicTable.lostEarly();
      this.#liveness.stop();
      if (afterClose(code) === 'stop') this.#stopped(code, reason);
      else this.#attempts.failed(code, reason);
    } else if (socket === this.activeSocket) {
      this.activeSocket = undefined;
      this.#heard = socket.heard;
      if (this.#parted && code === 1000) return this.#parted(true);
      if (!this.#mover.activeEnded(socket, code)) this.lost(code, reason, false);
    } else this.#mover.oldEnded(socket);
  }

  /** The end. The running handler may finish (2 s); the last acknowledgement goes out before the close. */
  close(error?: ClientError): Promise<void> {
    this.#closing ??= this.#end(error);
    return this.#closing;
  }

  /** Ends the session, then closes. False: no edge has said in time that it has ended. */
  bye(): Promise<boolean> {
    this.#parting ??= this.#part();
    return this.#parting;
  }

  async #part(): Promise<boolean> {
    if (this.state === 'closed') return false;
    await this.eventQueue.stop(limits.closeMs);
    this.acks.flushNow();
    const hasEnded = await within<boolean>(
      limits.endMs,
      (parted) => {
        this.#parted = parted;
        if (this.#closing) parted(false);
        this.#sayBye();
      },
      () => false,
    );
    await this.close();
    return hasEnded;
  }

  /** What has come is not handled yet: else the edge would take a slow handler's client for stuck. */
  #sayBusy(): void {
    const { activeSocket } = this;
    if (activeSocket && this.eventQueue.atWork === activeSocket)
      activeSocket.send(`{"t":"ack","seq":${activeSocket.ackedSeq},"busy":true}`);
  }

  /** On each socket that comes to have the session, until an edge has ended it. */
  #sayBye(): void {
    if (this.#parted && this.activeSocket && !this.activeSocket.isMoved)
      this.activeSocket.send('{"t":"bye"}');
  }

  async #end(error: ClientError | undefined): Promise<void> {
    this.#parted?.(false);
    this.state = 'closed';
    this.endedBy = error ?? new ClientError('closed', 'the client was closed');
    const { activeSocket } = this;
    const dialing = this.#dialing;
    this.#attempts.end();
    this.#liveness.stop();
    this.#mover.end();
    this.topicTable.forgetKept();
    dialing?.close(1000);
    this.#dialing = undefined;
    this.calls.fail(this.endedBy);
    await this.eventQueue.stop(limits.closeMs);
    this.acks.flushNow();
    this.activeSocket = undefined;
    if (activeSocket) {
      await within<void>(
        limits.closeMs,
        (done) => activeSocket.close(1000, done),
        () => {},
      );
    }
    this.statusFeed.emit({ type: 'closed', ...(error && { error }) });
  }

  /** The gateway is to choose another node next. */
  avoid(node: string | undefined): void {
    if (node) this.#attempts.avoid(node);
  }

  /** A new socket; its node is the newest that has to do with the session. */
  open(url: string, ticket: string, node: string | undefined): EdgeSocket {
    if (node) this.from = [node, ...this.from.filter((n) => n !== node)].slice(0, 4);
    return new EdgeSocket(this.#WebSocket, url, ticket, this);
  }

  #welcomed(socket: EdgeSocket, frame: WelcomeFrame): void {
    const { activeSocket } = this;
    const isMove = socket === this.#mover.socket;
    const { node, session, resumed } = frame;
    const from = this.node;
    socket.isWelcomed = this.#hasState = true;
    socket.connection = frame.connection;
    this.calls.welcomed(socket, frame.limits);
    this.session = session;
    this.node = node;
    this.from = [node];
    this.#liveness.set(frame.heartbeatMs);
    this.acks.window = frame.window;
    this.eventQueue.window = frame.window;
    this.activeSocket = socket;
    this.#sayBye();
    if (isMove) {
      const move = this.#mover.welcomed(activeSocket);
      this.flushNow();
      this.statusFeed.emit({ type: 'moved', move, node, from });
    } else {
      this.#dialing = undefined;
      this.#attempts.succeeded();
      this.state = 'connected';
      this.flushNow();
      this.statusFeed.emit({ type: 'connected', node, session, resumed });
    }
  }

  /** No socket is left. `isAtOnce`: it came in a move, the session waits elsewhere. */
  lost(code: number, reason: string, isAtOnce: boolean): void {
    this.#mover.end();
    this.#liveness.stop();
    // In a move too: what the old edge took may have been answered on a new socket, behind a `welcome` that has not come.
    this.calls.lost();
    if (this.state === 'closed') return;
    if (afterClose(code) === 'stop') {
      this.#stopped(code, reason);
      return;
    }
    this.state = 'connecting';
    const retryInMs = this.#attempts.lost(code, isAtOnce);
    this.statusFeed.emit({ type: 'disconnected', code, reason, retryInMs });
  }

  #stopped(code: number, reason: string): void {
    const why = `closed for good (${code} ${reason}); connect anew`;
    void this.close(new ClientError(reason || 'refused', why));
  }

  #abandon(socket: EdgeSocket, reason: string): void {
    if (socket.isGone) return;
    socket.drop();
    this.ended(socket, 1006, reason);
  }
}
