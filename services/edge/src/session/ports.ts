/**
 * What sessions need of the rest of the edge, declared by the one who asks. Who serves it does not import this file:
 * app.ts joins the two, and there the compiler checks that they fit.
 */
import type { Action, Authority, Decision, Holder } from '@evenkeel/access';
import type { Consumer, Delivery, PublishOutcome, QueueCounts } from '@evenkeel/broker';
import type { ErrorCode, GapReason, PassHold, TraceContext, UnsubscribedFrame } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import type { InboundBody } from '../frame/opaque-body.js';
import type { Connection } from '../transport/connection.js';
import type { Entrance } from './entrance.js';
import type { QueueGeneration } from './generation.js';
import type { LeftBehind } from './left-behind.js';
import type { Position } from './position.js';
import type { QueueSeals } from './queue-seals.js';
import type { Asking, Cancels, Placing, Unsent } from './service-ports.js';
import type { Singles } from './singles.js';
import type { SealLeft } from './vouch.js';
import type { LeftWritten } from './written-before.js';

/** The topics of this edge. */
export interface Topics {
  /** Whether anybody here has subscribed it. */
  has(topic: string): boolean;
  /** Counts a subscriber in at once; it counts until it is released. `uid`: of the user whose turn it waits for; undefined: none. */
  join(topic: string, uid: string | undefined): Membership;
  /**
   * Resolves with true once this edge has handled every topic message that was under way to it at the time of the call;
   * with false when that could not be learnt within `timeoutMs`, so that some may still come.
   */
  fence(timeoutMs: number, leaving?: Leaving): Promise<boolean>;
  /** true: nothing that was published before the call can come any more. false: that was not seen within `timeoutMs`. */
  caughtUp(timeoutMs: number): Promise<boolean>;
  /** Messages of the topic may be missing, and nobody is told yet. */
  isInDoubt(topic: string): boolean;
  readonly singles: Singles;
}

/** What a namespace keeps of who is there: nothing, all, or all with `info` from tokens alone. */
export type PresenceKept = boolean | 'claim';

/** Who is in which topic. */
export interface Presence {
  /** Of this topic. */
  kept(topic: string): PresenceKept;
  /** A connection of the session is attached from now on. */
  attached(who: Pick<TicketClaims, 'uid' | 'sid'>): Place;
  /** A connection of the session has the topic from now on. `info`: JSON text. Undefined: there are too many. */
  enter(topic: string, who: Pick<TicketClaims, 'uid' | 'sid'>, info: string | undefined): Place | undefined;
  /** A connection that has subscribed `name` is told who comes and goes, until `end`. */
  watch(topic: string): { readonly name: string; end(): void };
  /** The frame that answers who is there; undefined: that is not known here, for now. */
  answer(re: string, topic: string): Promise<string | undefined>;
}

/** A connection's place in a topic. */
export interface Place {
  /** Once, however often it is called. `lost`: its client may come back; `moved`: it goes on at another edge. */
  leave(how: 'left' | 'lost' | 'moved'): void;
}

/** A session that leaves for another edge. */
export interface Leaving {
  readonly session: string;
  readonly to: string;
  /** Called between what was published before the mark and what was published after it; the other edge's stream has it too. */
  reached(mark: string): void;
  /** Called after that: messages from before the mark are missing, of any topic. */
  dropped(): void;
}

/** Topics whose messages are kept: what they carry comes from a stream, with the same positions on every edge. */
export interface HistoryTopics {
  /** One of them on its way to one connection, to be ended; undefined: it has no history, or is a pattern. */
  feed(topic: string, options: FeedOptions): Feed | undefined;
  end(feed: Feed): void;
  /** A live message with this offset was dropped for its connection. */
  dropped(feed: Feed, offset: number): void;
  /** What a topic has kept, asked for by `re`. False: it keeps nothing, or is a pattern. */
  read(topic: string, wanted: FeedWanted, re: string, onRead: (found: Found) => void): boolean;
}

/** What was found of what a topic keeps. */
export interface Found extends FeedAnswer {
  readonly count: number;
  /** Of the message at this place, from 0, the oldest. */
  frame(at: number): string;
}

export interface FeedOptions {
  readonly connection: Pick<Connection, 'isOpen' | 'bufferedBytes' | 'send'>;
  readonly highWatermarkBytes: number;
  /** Messages come live from now on, or no more. */
  listen(): void;
  unlisten(): void;
  /** Some of what the client was to get is gone. */
  onLost(): void;
}

/** What was asked for: the first of these that is there counts. */
export interface FeedWanted {
  /** Behind a position that another edge has sent up to. */
  readonly behind?: string | undefined;
  readonly since?: string | undefined;
  readonly last?: number | undefined;
}

/** What is answered, before the first message. */
export interface FeedAnswer {
  /** Undefined: nothing has a position yet. */
  readonly position: string | undefined;
  /** False: some of what was asked for is gone. What came behind a position does not come then, of the newest those that are there. */
  readonly recovered: boolean;
}

export interface Feed {
  readonly topic: string;
  readonly isOn: boolean;
  readonly isLive: boolean;
  /** Up to where its client has been sent everything, if that has a name. */
  readonly position: string | undefined;
  /** Begins, or once more: `onAnswer` is called before the first message. */
  begin(wanted: FeedWanted, onAnswer: (answer: FeedAnswer) => void): void;
  /** The network has taken what was buffered. */
  drained(): void;
}

/** Where a session goes. */
export interface Departure {
  readonly session: string;
  /** The edge that it moves to, if that one passes marks on. */
  readonly to: string | undefined;
}

/** One subscriber's hold on a topic. */
export interface Membership {
  /** Resolves when every later message of the topic reaches this edge; rejects when the broker did not bind it. */
  readonly bound: Promise<void>;
  /** Counts the subscriber out, once, however often it is called, also while `bound` is pending. */
  release(): void;
}

/** What RabbitMQ drops from sessions' queues. */
export interface Drops {
  /** Counts times from which on something may have been dropped without word of it. */
  readonly doubts: number;
  /** true: what was dropped before the call has been told, or `doubts` has changed. false: that is not sure. */
  fence(timeoutMs: number): Promise<boolean>;
  /** Why something of `<uid>.<sid>` was dropped last since then, as far as this edge has heard. */
  whyOf(key: string, sinceMs: number): GapReason | undefined;
}

/** The queues of sessions on the broker. */
interface SessionQueues {
  of(uid: string, sid: string): SessionQueue;
}

/** One session's queue, which outlives the connection and the edge. */
export interface SessionQueue extends QueueGeneration, QueueSeals {
  readonly name: string;
  /** Its counts; undefined when there is none. Rejects without the broker, as do the others. */
  check(): Promise<QueueCounts | undefined>;
  /**
   * Declares and binds it, new or not. `onSealable` is called before events come. `isFound`: it was there, so that events may have gone
   * past it; false: it has gone; undefined: nobody has had it. True: an older edge has made it.
   */
  make(onSealable?: () => void, isFound?: boolean): Promise<boolean>;
  /** The edge that has let it go had made it. */
  isMade(): void;
  /** Lets services' replies in once more. */
  takeReplies(): Promise<void>;
  /** The opposite: services get them back, and may use the default exchange. */
  refuseReplies(): Promise<void>;
  /** Consumes it, through losses of the broker and of the queue, until the consumer is cancelled. */
  consume(listener: SessionQueueListener): Promise<Consumer>;
}

export interface SessionQueueListener {
  onDelivery(delivery: Delivery): void;
  /** What was delivered and is not settled is the broker's to deliver again. */
  onLost(): void;
  /** The queue is about to be consumed again; `found`: as it is, undefined: it will be made, `isLost`: in place of one that is lost. Rejects when it must not be yet. */
  onFound(found: QueueCounts | undefined, isLost?: boolean): Promise<void>;
  /** It is consumed again. */
  onRestored(): void;
}

/** Asking other edges for a session. */
export interface Handover {
  /** Asks `node` until it answers, proves to be dead, time is up, or `isLive` says that nobody wants to know any more. */
  ask(claims: TicketClaims, node: string, isLive: () => boolean): Promise<HandoverAnswer>;
  /** Asks every edge, for when nobody knows which has it; `unknown` when none has answered within `timeoutMs`. */
  search(claims: TicketClaims, timeoutMs: number): Promise<HandoverAnswer>;
  /** Whether one of those that were asked for these claims said that the session was without a connection. */
  wasAway(claims: TicketClaims): boolean;
  /** Nobody wants an answer any more: what is asked for these claims resolves as `silent`. */
  abandon(claims: TicketClaims): void;
}

export interface HandoverAnswer extends SealLeft, LeftWritten {
  /**
   * `released`: it had it and has let it go. `unknown`: it does not have it. `refused`: it has a newer connection.
   * `unreachable`: it has no connection to the broker, so it holds nothing. `silent`: it lives and does not answer.
   */
  outcome: 'released' | 'unknown' | 'refused' | 'unreachable' | 'silent';
  /** With `released`: the window was full, so the queue may have overflowed; or it is not known what the queue is like. */
  isFull: boolean;
  /** Which of them were written to which connection. With `unknown`: when it let the session go, some time ago. */
  position?: Position | undefined;
  /** It knows seals. */
  knowsSeals: boolean;
  /** With `released`: topics of which messages may be missing, which the client was not told. */
  doubt?: readonly string[];
  /** With `released`: requests whose answers have begun and not ended. */
  streams?: string[] | undefined;
  /** With `released`: up to where the client was sent topics with history. */
  history?: Readonly<Record<string, string>>;
  /** With `released`: the number of its queue. */
  generation?: number | undefined;
  home?: string | undefined;
  /** With `released`: topics that services have put the session into. */
  placed?: string[] | undefined;
}

/** The way of clients' messages to application services, `json` as it came. `unrouted`: no service consumes it. */
export interface Inbound {
  publish(
    from: TicketClaims,
    id: string,
    topic: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<PublishOutcome>;
  /** To the subscribers of the topic. */
  relay(
    from: TicketClaims,
    id: string,
    topic: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<void>;
  request(
    from: TicketClaims,
    id: string,
    method: string,
    body: InboundBody,
    trace?: TraceContext,
  ): Promise<PublishOutcome>;
}

/** Events for which clients have closed their connections: longer than what they take. */
export interface GivenUp {
  /** Its client has closed the connection with `code`; `largest`: `id` of the event that it is for, if that is why. */
  closed(
    claims: Pick<TicketClaims, 'uid' | 'sid'>,
    code: number | undefined,
    largest: string | undefined,
  ): void;
  /** `id` of the one that is not to be sent to this session. */
  of(claims: Pick<TicketClaims, 'uid' | 'sid'>): string | undefined;
}

/** Follows events that belong to a trace; there only while somebody looks. */
export interface Following {
  /** It has come from the queue of this session. What is to be used in its place, to see what becomes of it; undefined: of no trace. */
  follow(delivery: Delivery, owner: Pick<TicketClaims, 'uid' | 'sid'>): Delivery | undefined;
  /** It is handed to the socket; `seq`: of an event, not of a reply. */
  written(delivery: Delivery, seq?: number): void;
}

/** Bare clients that were let go, and may be brought back by the front. */
interface LetGo {
  /** Whether a client that comes here with these claims was let go from here a moment ago; it counts once. */
  isBack(claims: Pick<TicketClaims, 'uid' | 'sid'>): boolean;
}

/** Why a session ends now. */
export type EndReason = 'bye' | 'disconnected';

/** What becomes of sessions, as applications are told, and the end of those without a connection. */
interface Life {
  /** Pending while it is being ended here. */
  ending(key: string): Promise<unknown> | undefined;
  welcomed(
    claims: TicketClaims,
    found: {
      isResumed: boolean;
      wasAway?: boolean | undefined;
      isMove: boolean;
      info?: string | undefined;
    },
  ): void;
  /** Its queue has gone and is a new one. */
  renewed(claims: TicketClaims): void;
  /** Its connection is lost, and no other edge has asked for it. `isTold`: applications know already that it is away. */
  lost(claims: TicketClaims, isTold?: boolean, code?: number): void;
  /** Its queue is emptied and goes. Resolves when it has gone, or when that is to be tried again. */
  end(claims: TicketClaims, reason: EndReason): Promise<void>;
}

/** Where it is written down what happens to sessions. */
interface Journal {
  note(
    what: 'attached' | 'resumed' | 'detached' | 'gap',
    claims: Pick<TicketClaims, 'uid' | 'sid'>,
    details: object,
  ): void;
}

/** Who may do what, for all sessions of this edge. */
export interface Access {
  /** What counts for a session whose ticket has these claims, and whose client presents `pass`. */
  authority(claims: TicketClaims, pass: string | undefined): Authority;
  holder(uid: string, authority: Authority): Holder;
  /** Asks whom the rules have put in charge; never rejects. */
  ask(claims: TicketClaims, permission: Permission): Promise<Verdict>;
  /** Whether what clients publish to this topic goes to its subscribers, and not to services. */
  isRelay(topic: string): boolean;
  /** Whether one topic more may be asked about because the rules have changed. */
  mayReview(): boolean;
  /** Has a gateway look at a new token; `hold`: the pass that counts now, to which the new one is newer. Never rejects. */
  refresh(claims: TicketClaims, token: string, hold: PassHold | undefined): Promise<Refreshed>;
  /** Something was refused. */
  forbade(action: Action): void;
  /** A topic was taken away. */
  tookAway(why: UnsubscribedFrame['reason']): void;
  /** A connection has outlived its token. */
  expired(): void;
}

/** May this user do this? */
export interface Permission {
  /** Whom the rules have put in charge of it. */
  readonly whom: Exclude<Decision, 'allow' | 'forbid'>;
  readonly action: Action;
  readonly topic: string;
}

/**
 * What the application has said. `none`: it did not answer, or not so that it could be understood. `busy`: it could not be asked,
 * for what this edge or the broker has too much of.
 */
export interface Verdict {
  readonly is: 'allow' | 'refuse' | 'none' | 'busy';
  /** It counts until then; with `busy`: ask again then. */
  readonly untilMs: number;
}

/** What came of a new token. */
export type Refreshed =
  | { readonly is: 'refreshed'; readonly authority: Authority; readonly pass: string }
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly message: string };

/** What one user has of this edge, over all connections. */
export interface UserUse {
  /** Of publishes and requests that the broker does not have yet. */
  waitingBytes: number;
  /** What it sends, over all connections. */
  readonly frames: { tryTake(): boolean };
  /** Of what it sends. */
  readonly bytes: { tryTake(count: number): boolean };
  /** Names of topics that the edge does not have yet. */
  readonly topicNames: { tryTake(): boolean };
  /** New tokens. */
  readonly refreshes: { tryTake(): boolean };
}

/** The users of this edge, each counted over all connections. */
export interface Users {
  /** A socket of the user has opened. */
  enter(uid: string): UserUse;
  /** It has closed. */
  leave(uid: string): void;
}

export interface SessionPorts {
  readonly access: Access;
  readonly queues: SessionQueues;
  readonly drops: Drops;
  readonly handover: Handover;
  readonly entrance: Pick<Entrance, 'enter' | 'aside' | 'callOff'>;
  readonly topics: Topics;
  readonly history?: HistoryTopics | undefined;
  readonly presence: Presence;
  readonly inbound: Inbound;
  readonly cancels: Cancels;
  readonly letGo: LetGo;
  readonly leftBehind: Pick<LeftBehind, 'note' | 'dropped' | 'of' | 'take'>;
  readonly life: Life;
  readonly journal: Journal;
  readonly givenUp: GivenUp;
  readonly unsent: Unsent;
  readonly following?: Following | undefined;
  readonly placing?: Placing | undefined;
  readonly asking?: Asking | undefined;
}
