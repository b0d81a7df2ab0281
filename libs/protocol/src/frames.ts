/** Frames of `evenkeel.v1`: JSON in text messages, the kind named by `t`. Source: PROTOCOL.md. */
import type { ErrorCode, GapReason } from './codes.js';
import type { WantedTopic } from './wanted-topic.js';

export type { WantedTopic };

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** First frame from a client. */
export interface HelloFrame {
  t: 'hello';
  /** True when the client still has the state of this session (so that a loss is told as a `gap`). */
  resume?: boolean;
  /** Topics to subscribe before anything is released (at most the connection's topic limit). */
  topics?: (string | WantedTopic)[];
  /** `client` (default): the client acknowledges events; `write`: they count as handled when written. */
  ack?: 'client' | 'write';
  /** How long the client has been without a socket, in ms; lets the edge tell an `expired` gap. */
  awayMs?: number;
  /** The last `event` that was received, on the connection that it came on, as its `welcome` named it. */
  last?: { connection: string; seq: number };
  /** What this user may do, as the gateway has signed it: the newest that the client has. */
  pass?: string;
  /** What others are told of this session, at most 1 KiB as JSON text. */
  info?: unknown;
}
/** Every event up to `seq` (of this connection) is handled. */
export interface AckFrame {
  t: 'ack';
  seq: number;
  /** The next one is being handled at this moment: it takes its time, and the client is not stuck. */
  busy?: boolean;
}
export interface SubscribeFrame {
  t: 'subscribe';
  id: string;
  topic: string;
  /** See {@link WantedTopic}, as what follows. */
  since?: string;
  last?: number;
  presence?: boolean;
  echo?: boolean;
}
export interface UnsubscribeFrame {
  t: 'unsubscribe';
  id: string;
  topic: string;
}
export interface PublishFrame {
  t: 'publish';
  id: string;
  topic: string;
  data?: unknown;
  /** `data` is base64: services get the bytes. */
  encoding?: 'base64';
  /** Of these bytes; absent: `application/octet-stream`. */
  contentType?: string;
  /** W3C trace context, which services get as headers. */
  traceparent?: string;
  tracestate?: string;
}
export interface RequestFrame {
  t: 'request';
  id: string;
  method: string;
  data?: unknown;
  /** As in `publish`. */
  encoding?: 'base64';
  contentType?: string;
  traceparent?: string;
  tracestate?: string;
}
export interface PingFrame {
  t: 'ping';
}
/** The session ends. */
export interface ByeFrame {
  t: 'bye';
}
/** A new token, so that the connection outlives the one before. */
export interface RefreshFrame {
  t: 'refresh';
  id: string;
  token: string;
}
/** The client wants no more of the answer to its request `re`. */
export interface CancelFrame {
  t: 'cancel';
  re: string;
}
/** Who is there in a topic? */
export interface AskPresenceFrame {
  t: 'presence';
  id: string;
  topic: string;
}
/** Answers an `ask`. Without `error`: `data` is the answer. */
export interface AnswerFrame {
  t: 'answer';
  /** Of the `ask`. */
  id: string;
  data?: unknown;
  /** There is no answer, and why. */
  error?: { code: string; message?: string };
  /** As in `publish`. */
  encoding?: 'base64';
  contentType?: string;
}
/** What has a topic kept? */
export interface AskHistoryFrame {
  t: 'history';
  id: string;
  topic: string;
  /** As of {@link WantedTopic}. */
  since?: string;
  last?: number;
}
export type ClientFrame =
  | HelloFrame
  | AckFrame
  | SubscribeFrame
  | UnsubscribeFrame
  | AskPresenceFrame
  | AskHistoryFrame
  | PublishFrame
  | RequestFrame
  | PingFrame
  | ByeFrame
  | RefreshFrame
  | CancelFrame
  | AnswerFrame;

/** The body of an AMQP message as a frame carries it, and the trace that it belongs to. */
export interface Payload {
  /** JSON as it is; text as a string; anything else base64 with `encoding`. */
  data: unknown;
  encoding?: 'base64';
  contentType?: string;
  /** How the bytes behind `data` are encoded, where the edge could not decode them. */
  contentEncoding?: string;
  /** W3C trace context of the message, well-formed. */
  traceparent?: string;
  tracestate?: string;
}
/** What an edge takes from one connection. */
export interface ConnectionLimits {
  /** Frames a second, of every kind but `bye` and an `ack` that acknowledges something new. */
  framesPerSecond: number;
  /** The same, in one burst. */
  burst: number;
  /** Topics at a time. */
  maxTopics: number;
  /** Longest frame, bytes. */
  maxFrameBytes: number;
}
export interface WelcomeFrame {
  t: 'welcome';
  session: string;
  node: string;
  /** Whether the session's queue was there already. */
  resumed: boolean;
  heartbeatMs: number;
  /** How many events the edge sends ahead of the client's `ack`. */
  window: number;
  /** Identity of this connection in the whole mesh. Not from older edges, as what follows. */
  connection?: string;
  limits?: ConnectionLimits;
  /** Which of its queues the session has: 0 for the one it began with. */
  generation?: number;
}
export interface EventFrame extends Payload {
  t: 'event';
  /** Per connection, from 1; what `ack` counts. */
  seq: number;
  /** Identity: a repeat has the same id. An id beginning with `~` was derived by the edge. */
  id: string;
  /** The routing key's words after `user.<uid>.`. */
  name: string;
  /** When it was published, ms since the epoch. */
  at: number;
  headers?: Record<string, string>;
  /** Present and true when this may be a repeat of an event written to an earlier socket. */
  redelivered?: true;
  /** This is the delivery that had this `seq` on the connection that `hello` named in `last`. */
  again?: number;
}
export interface MessageFrame extends Payload {
  t: 'message';
  topic: string;
  id: string;
  at: number;
  /** The client that has published it, as an edge has checked. */
  from?: { user: string; session: string };
  /** Its place in the history of its topic, the same on every edge. */
  position?: string;
  /** It was published before the subscription: of the history that was asked for. */
  past?: true;
  /** It answers a `history` of this id, and is of no subscription. */
  re?: string;
  /** Of which it is the newest value. */
  key?: string;
  headers?: Record<string, string>;
}
export interface GapFrame {
  t: 'gap';
  topic?: string;
  reason: GapReason;
  /** In the place of a message that answers a `history`. */
  re?: string;
}

/**
 * What an edge says when it asks a client to move.
 * @example const isUrgent = ({ deadlineMs }: MoveFrame) => deadlineMs < 1_000;
 */
export interface MoveFrame {
  t: 'move';
  move: string;
  /** Name of the edge to move to. */
  node: string;
  url: string;
  ticket: string;
  reason: string;
  /** The move counts as failed after this long, ms. */
  deadlineMs: number;
  /** Wait a random part of this before dialling, ms. */
  jitterMs: number;
}
/** Last frame on the old socket. */
export interface MovedFrame {
  t: 'moved';
  /** `seq` of the last event sent there (0: none). */
  seq: number;
  /** How many `subscribe`, `unsubscribe`, `publish` and `request` frames the edge accepted on this socket. */
  received: number;
  /** The mark that this edge's topics had passed. */
  mark?: string;
}
/** On the new socket of a move: this edge's topics have passed the mark; what follows comes after it. */
export interface MarkFrame {
  t: 'mark';
  mark: string;
}
/** A part of a streamed answer; acknowledged as an event. */
export interface PartFrame extends Payload {
  t: 'part';
  /** As of an event: they are counted together. */
  seq: number;
  /** The request's id. */
  re: string;
  /** Counts the parts of this answer, from 0. */
  n: number;
  headers?: Record<string, string>;
  /** As of an event. */
  redelivered?: true;
  again?: number;
}
/** A service asks this client; acknowledged as an event, and answered by `answer`. */
export interface AskFrame extends Payload {
  t: 'ask';
  /** As of an event: they are counted together. */
  seq: number;
  /** Identity: a repeat has the same id. */
  id: string;
  method: string;
  headers?: Record<string, string>;
  /** As of an event. */
  redelivered?: true;
  again?: number;
}
export interface OkFrame extends Partial<Payload> {
  t: 'ok';
  re: string;
  /** After parts: as of an event, it is acknowledged. */
  seq?: number;
  redelivered?: true;
  again?: number;
  /** How many parts the service says that it has sent before. */
  parts?: number;
}
export interface ErrorFrame {
  t: 'error';
  re?: string;
  /** After parts: as of an event, it is acknowledged. */
  seq?: number;
  redelivered?: true;
  again?: number;
  /** How many parts the service says that it has sent before. */
  parts?: number;
  code: ErrorCode | (string & {});
  message: string;
  /** A service has answered this; absent: the mesh did. */
  from?: 'service';
  /** Of `hello`: the topic that is refused. */
  topic?: string;
  /** It was not carried out, and will not be: it may be sent again after this long, ms. */
  retryAfterMs?: number;
}
export interface PongFrame {
  t: 'pong';
}
/** The token expires soon. */
export interface ExpiringFrame {
  t: 'expiring';
  /** The connection is closed after this long, ms, unless a new token has come. */
  inMs: number;
}
/** A topic whose messages come from now on, without a request that could be answered. */
export interface SubscribedFrame {
  t: 'subscribed';
  topic: string;
  /** Named in `hello`; or a service has put the session into it. */
  by: 'hello' | 'service';
  /** Of a topic with history: the newest message that there was. */
  position?: string | undefined;
  /** Of a topic with history: all that the client may have missed comes next. */
  recovered?: boolean;
  /** By a service: what `hello` names the topic with, so that it also outlives the edge. The newest counts. */
  proof?: string;
}
/** A topic ends that the client had subscribed. */
export interface UnsubscribedFrame {
  t: 'unsubscribed';
  topic: string;
  /** The grant was taken away, or has run out, or the service that was asked says so. */
  reason: 'revoked' | 'expired' | 'service';
}
/** Who came to a topic and who left it, to clients that asked to be told. */
export interface PresenceFrame {
  t: 'presence';
  topic: string;
  /** Absent with `left`: too many are there to be named. */
  joined?: { user: string; info?: unknown }[];
  left?: string[];
  /** Users who are there. */
  count: number;
}
export type EdgeFrame =
  | WelcomeFrame
  | EventFrame
  | MessageFrame
  | GapFrame
  | MoveFrame
  | MovedFrame
  | MarkFrame
  | PartFrame
  | AskFrame
  | OkFrame
  | ErrorFrame
  | PongFrame
  | ExpiringFrame
  | SubscribedFrame
  | UnsubscribedFrame
  | PresenceFrame;

/** Arrays and objects in each other in `data` of `publish` and `request`: common parsers take no more. */
export const maxDataDepth = 512;

/** Longest pass, resume token and token that a client may send, bytes. */
export const maxPassBytes = 16_384;

/** Longest `info` of a session, bytes of its JSON text. */
export const maxInfoBytes = 1_024;

/** `info` as JSON text; undefined: there is none, or it is too long, or can be no JSON. */
export function infoText(info: unknown): string | undefined {
  const text = info === undefined ? undefined : textOf(info);
  return text === undefined || new TextEncoder().encode(text).length > maxInfoBytes ? undefined : text;
}

function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {} // Nested thousands deep, or of itself.
  return undefined;
}

/** Limits and defaults that both sides must know. All may be configured on the edge. */
export const defaults = {
  window: 64,
  heartbeatMs: 15_000,
  helloTimeoutMs: 10_000,
  ackTimeoutMs: 60_000,
  /** RabbitMQ closes a channel, and with it many sessions', whose delivery is unacknowledged for 30 min. */
  longestUnackedMs: 1_200_000,
  slowConsumerMs: 30_000,
  maxPayloadBytes: 65_536,
  maxEventBytes: 1_048_576,
  maxTopicsPerConnection: 512,
  /** Of their names together: with them all a `hello` fits in its frame. */
  maxTopicNameBytes: 65_536,
  ticketLifetimeMs: 30_000,
  moveDeadlineMs: 30_000,
  sessionLifetimeMs: 300_000,
  sessionMaxLength: 1_000,
  requestTimeoutMs: 30_000,
  /** Answers in parts that a session may have open. */
  maxStreams: 16,
  presenceGraceMs: 2_000,
} as const;
