import { type CloseCode, closeCodes, type GapReason, logged } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { ClientText } from '../frame/client-text.js';
import { gapFrame, markFrame, pongFrame } from '../frame/frames.js';
import type { Place } from '../frame/placed.js';
import type { Connection, ConnectionOwner } from '../transport/connection.js';
import { SessionAccess } from './access.js';
import { AttachError, attach, callOff, type Found, placesOf } from './attach.js';
import { Custody } from './custody.js';
import { eventFlow } from './flow.js';
import { type HelloFrame, plainAckSeq } from './inbox.js';
import type { Intake } from './intake.js';
import { attachKind, SessionLoad } from './load.js';
import type { SessionOptions } from './options.js';
import type { Outbox } from './outbox.js';
import { overdue } from './overdue.js';
import { Pin } from './pin.js';
import type { MoveOutcome, PlannedMove } from './planned-move.js';
import type { EndReason, SessionQueue } from './ports.js';
import { SessionPresence } from './presence.js';
import { Quota } from './quota.js';
import type { Release, ReleaseMode, Successor } from './release.js';
import { anybody, dismiss, leavingBy, sayFarewell } from './release.js';
import { ClientRequests } from './requests.js';
import { next, type SessionState } from './states.js';
import { Subscriptions } from './subscriptions.js';
import { welcome } from './welcome.js';

/** One session on this edge: its connection, its queue's consumer, and the way from one to the other. */
export class Session implements ConnectionOwner {
  /** `<uid>.<sid>` */
  readonly key: string;
  readonly claims: TicketClaims;
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly intake: Intake;
  readonly load = new SessionLoad();
  readonly pin: Pin;
  /** What it may do, and until when. */
  readonly access: SessionAccess;
  readonly presence: SessionPresence;
  /** Set by who moves it. */
  move: PlannedMove | undefined;
  /** 0: not yet. */
  attachedAtMs = 0;
  /** Of its connection, as in `welcome`; empty: not yet. */
  name = '';
  readonly #options: SessionOptions<Session>;
  readonly #queue: SessionQueue;
  readonly #subscriptions: Subscriptions;
  readonly #requests: ClientRequests;
  readonly #custody: Custody;
  #state: SessionState = 'opened';
  /** The last event that the client has acknowledged. */
  #ackedSeq = 0;
  #attaching: Promise<void> | undefined;
  #releasing: Promise<Release> | undefined;
  /** Until it is welcomed: by the first delivery, or once it is consuming. */
  #welcome: (() => void) | undefined;

  constructor(connection: Connection, options: SessionOptions<Session>) {
    const { config, ports, load, users, now } = options;
    this.#options = options;
    const { claims } = connection;
    this.connection = connection;
    this.claims = claims;
    this.key = `${claims.uid}.${claims.sid}`;
    this.#queue = ports.queues.of(claims.uid, claims.sid);
    this.pin = new Pin(now);
    this.#custody = new Custody(connection, ports);
    if (connection.isBare && claims.node !== config.node && ports.letGo.isBack(claims)) this.pin.mark();
    const send = (frame: string) => this.#send(frame);
    this.access = new SessionAccess({
      claims,
      access: ports.access,
      placing: ports.placing,
      now,
      send,
      onChanged: () => this.review(),
      close: (why) => this.close(why),
    });
    this.presence = new SessionPresence(connection, ports.presence, () => this.access.info);
    this.#subscriptions = new Subscriptions(connection, ports.topics, {
      access: this.access,
      history: ports.history,
      highWatermarkBytes: config.highWatermarkBytes,
      presence: this.presence,
      limit: config.maxTopics,
      send,
      gap: (reason, topic) => this.#gap(reason, topic),
      onLimit: () => load.metTopicLimit(),
    });
    ({ intake: this.intake, outbox: this.outbox } = eventFlow({
      connection,
      queue: this.#queue,
      access: this.access,
      config,
      ports,
      load,
      own: this.load,
      now,
      requests: () => this.#requests,
      onDelivering: () => {
        if (this.#is('attaching') && connection.isOpen) this.#welcome?.();
      },
      isTaking: () => this.#is('attached') || (this.#is('releasing') && this.attachedAtMs > 0),
      isLive: () => this.#is('attached') && connection.isOpen,
      onGap: (reason) => {
        this.#custody.gap(reason);
        this.#gap(reason);
      },
      onEnd: (why) => connection.close(why),
    }));
    this.#requests = new ClientRequests({
      claims,
      access: this.access,
      quota: new Quota(config, users.enter(claims.uid), load, now),
      inbound: ports.inbound,
      subscriptions: this.#subscriptions,
      presence: ports.presence,
      answers: this.outbox.answers,
      limits: config,
      load,
      takeReplies: async () => {
        // Said right after hello, a request may be here before the queue.
        await this.#attaching;
        await this.#queue.takeReplies();
      },
      send,
      onOffence: () => connection.close(closeCodes.rateLimited),
      now,
    });
  }

  get state(): SessionState {
    return this.#state;
  }
  /** How many topics it has. */
  get topics(): number {
    return this.#subscriptions.size;
  }
  /** Whether a planned move of it may begin. */
  get isMovable(): boolean {
    return this.#is('attached') && this.move === undefined && !this.pin.isHeld && !this.intake.changes.isOn;
  }

  /** Begins at once for a bare client, else when its hello has come. */
  start(): void {
    this.#options.directory.track(this);
    if (this.connection.isBare) this.#begin({ t: 'hello', ack: 'write' });
  }

  onFrame(frame: ClientText): void {
    this.intake.seal.heard(true);
    const seq = this.#is('opened') ? undefined : plainAckSeq(frame);
    if (seq !== undefined) return this.#onAck(seq);
    const incoming = this.#requests.read(frame, this.#state);
    if (incoming === undefined || incoming.is === 'late') return;
    if (incoming.is === 'violation') return this.close(closeCodes.badFrame);
    const { frame: sent } = incoming;
    switch (sent.t) {
      case 'hello':
        return this.#begin(sent);
      case 'ack':
        return this.#onAck(sent.seq, sent.busy);
      case 'ping':
        return this.#send(pongFrame);
      case 'bye':
        return this.end('bye');
      default:
        return this.#requests.handle(sent);
    }
  }

  onIgnored(): void {
    this.#requests.takesIgnored();
  }

  onDrain(): void {
    this.#subscriptions.drained();
    if (this.#is('attached') || this.#is('releasing')) this.outbox.flush();
  }

  onDropped(place: Place): boolean {
    return this.#subscriptions.dropped(place);
  }

  onClose(code?: number): void {
    this.#options.directory.untrack(this);
    this.#options.users.leave(this.claims.uid);
    this.#subscriptions.lost();
    this.outbox.connectionClosed(code);
    this.#endMove('failed');
    if (this.#is('gone') || this.#is('moved')) return;
    if (this.#is('attached')) this.#custody.lost(code);
    void this.release(this.#custody.isEnding ? 'end' : 'resume');
  }

  #begin(hello: HelloFrame): void {
    this.outbox.ackMode = hello.ack ?? 'client';
    this.#enter('attaching');
    this.access.present(hello.pass);
    this.presence.present(hello.info);
    this.#attaching = this.#attach(hello);
  }

  async #attach(hello: HelloFrame): Promise<void> {
    const { directory, config, ports, log, now } = this.#options;
    const beganAtMs = now();
    const isLive = () => this.#is('attaching') && this.connection.isOpen;
    const previous = directory.get(this.key);
    if (previous && previous.claims.epoch > this.claims.epoch) return this.#refuse(closeCodes.staleTicket);
    directory.set(this);
    this.intake.follows = previous?.intake;
    try {
      const found = await attach({
        claims: this.claims,
        hello,
        previous,
        queue: this.#queue,
        subscriptions: this.#subscriptions,
        access: this.access,
        ports,
        config,
        begin: (vouch) => this.intake.begin(vouch),
        custody: this.#custody,
        onOwnTime: () => this.load.active(now()),
        isLive,
      });
      this.#custody.acquired(found.isResumed);
      if (!isLive()) return;
      this.outbox.before.begin(found, placesOf(found, hello));
      this.outbox.answers.adopt(found.streams ?? []);
      if (found.isResumed && this.claims.move === undefined) this.intake.holdNext(found.queued);
      this.#welcome = () => this.#sendWelcome(found, beganAtMs);
      await this.intake.start();
      // A delivery may have come first and made it attached already; only a release meanwhile ends it here.
      if (isLive()) this.#welcome?.();
      else if (this.#releasing) await this.intake.stop(config.settleTimeoutMs);
    } catch (error) {
      if (!(error instanceof AttachError)) this.#custody.failed();
      // Let go while it attaches, it has not failed: whoever lets it go closes it.
      if (!this.connection.isOpen || this.#releasing) return;
      if (error instanceof AttachError) return this.#refuse(error.why);
      log.warn({ err: error, ...logged(this.claims) }, 'session not attached');
      this.#refuse(closeCodes.brokerUnavailable);
    }
  }

  #sendWelcome({ isResumed, missed, history }: Found, beganAtMs: number): void {
    const { now, load, newConnectionId } = this.#options;
    this.#welcome = undefined;
    this.#enter('attached');
    if (!this.connection.isBare) this.name = newConnectionId(this.#queue.generation);
    this.presence.welcomed();
    this.#custody.welcomed({ isResumed, missed }, this.name, this.presence.info());
    this.attachedAtMs = now();
    // What a client takes to say hello, its topics, which others have a say in, and other edges' answers tell nothing of this one.
    load.handshake(attachKind(this.claims, isResumed), this.load, this.attachedAtMs, beganAtMs);
    if (this.connection.isBare) return;
    this.connection.send(welcome(this.claims, isResumed, this.name, this.#queue, this.#options));
    if (missed !== undefined) this.#gap(missed);
    this.#subscriptions.welcomed(history);
  }

  #refuse(why: CloseCode): void {
    // The broker went just behind a first delivery: it is lost as any other.
    if (this.#is('attached')) return this.close(why);
    this.#custody.leaveBehind(this.intake);
    this.#options.directory.remove(this);
    this.#enter('gone');
    this.#subscriptions.leaveAll();
    this.connection.close(why);
  }

  /** Its old edge has it too, at the same point: between messages of topics. */
  passMark(mark: string): void {
    if (this.claims.move !== undefined) this.#send(markFrame(mark));
  }

  /** Stops consuming and settles what is held, in order; in a move through the old connection. Everybody who asks gets the same answer. */
  release(mode: ReleaseMode, successor?: Successor): Promise<Release> {
    if (successor?.waitsForSeal) this.intake.seal.awaited();
    this.#releasing ??= this.#release(mode, successor ?? anybody);
    return this.#releasing;
  }

  /** Ends the session itself, what is left in its queue with it. Before its hello only the connection: it may be elsewhere. */
  end(reason: EndReason, why: CloseCode = closeCodes.disconnected): void {
    if (this.#is('opened')) return this.connection.close(why);
    this.#custody.end(reason, this.#releasing !== undefined, why);
    void this.#attaching?.then(() => {
      if (this.#is('attached') && this.#custody.isEnding) void this.release('end');
    });
  }

  /** For the sake of an older edge, which takes it: replies come by the default exchange again. */
  refuseReplies(): Promise<void> {
    return this.#queue.refuseReplies();
  }

  async #release(mode: ReleaseMode, { to, ...taker }: Successor): Promise<Release> {
    const { connection, outbox } = this;
    const { ports, config } = this.#options;
    // It was refused, and whoever comes next had found it before.
    if (this.#is('gone')) return { ...this.#custody.inherited, ...this.access.left };
    const wasAttaching = this.#is('attaching');
    this.#enter('releasing');
    if (wasAttaching) {
      callOff(this.claims, ports);
      await this.#attaching;
    }
    await this.intake.stop(taker.mayLeaveSeal ? 0 : config.settleTimeoutMs);
    if (mode === 'move' && connection.isOpen && !connection.isBare && !wasAttaching) {
      const own = { outbox, requests: this.#requests, subscriptions: this.#subscriptions };
      const where = { departure: { session: this.key, to }, onMoved: () => this.#enter('moved') };
      await sayFarewell({ connection, ...own, ...where }, this.#options);
    }
    const { written, isLasting, ...left } = await this.intake.giveBack(taker);
    const position = written && { connection: this.name, ...written };
    if (taker.mayLeaveSeal && !connection.isOpen) void this.#queue.sealIsBack();
    const isHeld = !wasAttaching || this.intake.seal.hasBegun;
    if (mode === 'resume' && isHeld)
      ports.leftBehind.note(this.key, { ...left, position, isLasting }, this.intake.isWatched);
    if (mode === 'end') await this.#custody.finish();
    else if (wasAttaching) this.#custody.leaveBehind(this.intake, isHeld);
    // Else it was refused while it was attaching.
    if (this.#is('releasing')) this.#enter('gone');
    this.#options.directory.remove(this);
    this.#subscriptions.leaveAll(leavingBy[mode]);
    this.#endMove(mode === 'move' ? 'done' : 'failed');
    dismiss(connection, this.#is('moved'));
    const remains = { ...this.#subscriptions.remains, ...this.access.left };
    // There is no queue: whoever asks is to look.
    if (mode === 'end') return { suspect: left.suspect, isFull: true, ...remains };
    if (!isHeld) return { ...this.#custody.inherited, ...this.access.left };
    return { ...left, position, ...outbox.answers.left, ...remains };
  }

  /** The rules have changed: what it may not have any more is taken away. */
  review(): void {
    this.#subscriptions.review();
  }

  /** Ends the connection for a reason of the edge's or an operator's. */
  close(why: CloseCode): void {
    this.connection.close(why);
  }

  #endMove(outcome: MoveOutcome): void {
    const { move } = this;
    this.move = undefined;
    move?.onEnd(outcome);
  }

  /** Looks for deadlines that have passed, once a second. */
  sweep(nowMs: number): void {
    const { connection, outbox } = this;
    const why = overdue(this.#is('opened'), connection, outbox, this.#options.config, nowMs);
    if (why) return this.connection.close(why);
    if (this.move && nowMs > this.move.deadlineAtMs) this.#endMove('timedOut');
    if (!this.#is('moved')) this.#requests.sweep(nowMs, outbox.isFull);
    this.#subscriptions.sweep(nowMs);
    // What is leaving goes on elsewhere, under the same pass.
    if (!this.#is('releasing') && !this.#is('moved')) this.access.sweep(nowMs, this.#is('attached'));
    this.intake.sweep();
    this.load.sample();
  }

  #onAck(seq: number, isBusy?: boolean): void {
    // Whoever has events to acknowledge may do so as often as there are any.
    if (seq > this.#ackedSeq) this.#ackedSeq = seq;
    else if (!this.#requests.takesIgnored()) return;
    if (!this.intake.acknowledge(seq, isBusy)) this.close(closeCodes.badFrame);
  }

  #gap(reason: GapReason, topic?: string): void {
    if (this.connection.isBare) return;
    this.#options.load.toldGap(reason);
    this.#custody.toldGap(reason, topic);
    const frame = gapFrame(reason, topic);
    // Among events it has its place; of topics it is told at once.
    if (topic === undefined && !this.#is('moved')) this.outbox.insert(frame);
    else this.#send(frame);
  }

  /** `moved` is the last frame: what would be sent later belongs to the next edge, or to nobody. */
  #send(frame: string): void {
    if (!this.#is('moved')) this.connection.send(frame);
  }

  /** Asked again each time: it changes while others are waited for. */
  #is(state: SessionState): boolean {
    return this.#state === state;
  }

  #enter(state: SessionState): void {
    this.#state = next(this.#state, state);
  }
}
