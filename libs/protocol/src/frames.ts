/** Frames of `evenkeel.v1`: JSON in text messages, the kind named by `t`. Source: PROTOCOL.md. */
import type { ErrorCode, GapReason } from './codes.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** First frame from a client. */
export interface HelloFrame {
  t: 'hello';
  /** True when the client still has the state of this session (so that a loss is told as a `gap`). */
  resume?: boolean;
  /** Topics to subscribe before anything is released (at most the connection's topic limit). */
  topics?: string[];
  /** `client` (default): the client acknowledges events; `write`: they count as handled when written. */
  ack?: 'client' | 'write';
  /** How long the client has been without a socket, in ms; lets the edge tell an `expired` gap. */
  awayMs?: number;
  /** The last `event` that was received, on the connection that it came on, as its `welcome` named it. */
  last?: { connection: string; seq: number };
  /** What this user may do, as the gateway has signed it: the newest that the client has. */
  pass?: string;
}
/** Every event up to `seq` (of this connection) is handled. */
export interface AckFrame {
  t: 'ack';
  seq: number;
  /** The next one is being handled at this moment: it takes its time, and the client is not stuck. */
  busy?: boolean;
}
export interface SubscribeFrame {
  t: 'subscribe' | 'unsubscribe';
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
export type ClientFrame =
  | HelloFrame
  | AckFrame
  | SubscribeFrame
  | PublishFrame
  | RequestFrame
  | PingFrame
  | ByeFrame
  | RefreshFrame;

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
  /** `subscribe`, `unsubscribe`, `publish` and `request` frames a second. */
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
  position?: string;
  headers?: Record<string, string>;
}
export interface GapFrame {
  t: 'gap';
  topic?: string;
  reason: GapReason;
}
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
export interface OkFrame extends Partial<Payload> {
  t: 'ok';
  re: string;
}
export interface ErrorFrame {
  t: 'error';
  re?: string;
  code: ErrorCode | (string & {});
  message: string;
  /** A service has answered this; absent: the mesh did. */
  from?: 'service';
  /** Of `hello`: the topic that is refused. */
  topic?: string;
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
/** A topic ends that the client had subscribed. */
export interface UnsubscribedFrame {
  t: 'unsubscribed';
  topic: string;
  /** The grant was taken away, or has run out, or the service that was asked says so. */
  reason: 'revoked' | 'expired' | 'service';
}
export type EdgeFrame =
  | WelcomeFrame
  | EventFrame
  | MessageFrame
  | GapFrame
  | MoveFrame
  | MovedFrame
  | MarkFrame
  | OkFrame
  | ErrorFrame
  | PongFrame
  | ExpiringFrame
  | UnsubscribedFrame;

/** Arrays and objects in each other in `data` of `publish` and `request`: common parsers take no more. */
export const maxDataDepth = 512;

/** Longest pass, resume token and token that a client may send, bytes. */
export const maxPassBytes = 16_384;

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
  maxTopicsPerConnection: 128,
  ticketLifetimeMs: 30_000,
  moveDeadlineMs: 30_000,
  sessionLifetimeMs: 300_000,
  sessionMaxLength: 1_000,
  requestTimeoutMs: 30_000,
} as const;
