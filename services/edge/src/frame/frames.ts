/**
 * Every frame that leaves an edge is built here, from the types of the protocol to the text on the wire. What is sent
 * often is put together as text: an event's body is never parsed only to be written again.
 */
import type { Delivery } from '@evenkeel/broker';
import { bodyFields, fitting, messageRest, publishedAt } from '@evenkeel/mesh';
import {
  type ErrorCode,
  type ErrorFrame,
  type ExpiringFrame,
  errorCodes,
  exchanges,
  type GapFrame,
  type GapReason,
  type MarkFrame,
  type MovedFrame,
  type MoveFrame,
  type OkFrame,
  type PongFrame,
  type SubscribedFrame,
  type UnsubscribedFrame,
  type WelcomeFrame,
} from '@evenkeel/protocol';
import { inAlarm } from '../limits.js';
import { nameFor } from './routing.js';

/** The answer to `hello`. */
export function welcomeFrame(fields: Required<Omit<WelcomeFrame, 't'>>): string {
  const { session, node, resumed, heartbeatMs, window, connection, limits, generation } = fields;
  return JSON.stringify({
    t: 'welcome',
    session,
    node,
    resumed,
    heartbeatMs,
    window,
    connection,
    limits,
    generation,
  } satisfies WelcomeFrame);
}

/** To whom a directed event goes. */
export interface Addressee {
  readonly uid: string;
  /** Longest frame. */
  readonly maxBytes: number;
}

/**
 * A directed event; `id`: its identity; `nowMs` stands in for the time of publishing where the message has none. Undefined: it would
 * be longer than
 * frames may be.
 */
export function eventFrame(
  seq: number,
  id: string,
  delivery: Delivery,
  nowMs: number,
  isRedelivered: boolean,
  { uid, maxBytes }: Addressee,
  again?: number,
): string | undefined {
  const body = bodyFields(delivery, maxBytes);
  if (body === undefined) return undefined;
  const name = JSON.stringify(nameFor(delivery, uid));
  const position = again === undefined ? '' : `,"again":${again}`;
  const flag = isRedelivered ? `,"redelivered":true${position}` : '';
  return fitting(
    `{"t":"event","seq":${seq},"id":${JSON.stringify(id)},"name":${name},"at":${publishedAt(delivery, nowMs)}${flag}${body}}`,
    maxBytes,
  );
}

/**
 * A topic's message; `from`: the client that has published it. Its id comes from content alone, so that both edges of a move give it the same one. Undefined: it would be
 * longer than frames may be.
 */
export function messageFrame(
  topic: string,
  delivery: Delivery,
  nowMs: number,
  maxBytes: number,
  from?: { readonly user: string; readonly session: string },
): string | undefined {
  const rest = messageRest(delivery, nowMs, maxBytes, from);
  return rest && fitting(`{"t":"message","topic":${JSON.stringify(topic)}${rest}}`, maxBytes);
}

/** Something may be missing: of `topic`, or of the session's own events. */
export function gapFrame(reason: GapReason, topic?: string, re?: string): string {
  return JSON.stringify({
    t: 'gap',
    ...(topic === undefined ? {} : { topic }),
    reason,
    ...(re === undefined ? {} : { re }),
  } satisfies GapFrame);
}

/** Asks the client to go to another edge. */
export function moveFrame(fields: Omit<MoveFrame, 't'>): string {
  const { move, node, url, ticket, reason, deadlineMs, jitterMs } = fields;
  return JSON.stringify({
    t: 'move',
    move,
    node,
    url,
    ticket,
    reason,
    deadlineMs,
    jitterMs,
  } satisfies MoveFrame);
}

/** The last frame on the old connection. */
export const movedFrame = (seq: number, received: number, mark: string | undefined): string =>
  JSON.stringify({ t: 'moved', seq, received, ...(mark !== undefined && { mark }) } satisfies MovedFrame);

/** The topics of this edge have passed the mark. */
export const markFrame = (mark: string): string => JSON.stringify({ t: 'mark', mark } satisfies MarkFrame);

/** A request is carried out and has nothing to bring back. */
export const okFrame = (re: string, data?: object): string =>
  data === undefined
    ? `{"t":"ok","re":${JSON.stringify(re)}}`
    : JSON.stringify({ t: 'ok', re, data } satisfies OkFrame);

/** Of a topic that the client has not asked for by a request: its messages come from now on, as far as they are asked for. */
export const subscribedFrame = (
  topic: string,
  by: SubscribedFrame['by'],
  from: { position?: string | undefined; recovered?: boolean; proof?: string } = {},
): string => JSON.stringify({ t: 'subscribed', topic, by, ...from } satisfies SubscribedFrame);

/**
 * Whether it is a service's reply: by `mesh.replies`, or straight to the queue. What is put there without a `correlation_id` answers
 * nothing: it is an event, by whoever knows the queue alone.
 */
export const isReply = ({ exchange, properties }: Delivery): boolean =>
  exchange === exchanges.replies || (exchange === '' && properties.correlationId !== undefined);

/** A token was renewed: the client presents this pass from now on. */
export const passFrame = (re: string, pass: string): string =>
  JSON.stringify({ t: 'ok', re, data: { pass } } satisfies OkFrame);

/** The token of the connection expires in so many ms. */
export const expiringFrame = (inMs: number): string =>
  JSON.stringify({ t: 'expiring', inMs: Math.max(0, Math.round(inMs)) } satisfies ExpiringFrame);

/** A topic was taken from the client. */
export const unsubscribedFrame = (topic: string, reason: UnsubscribedFrame['reason']): string =>
  JSON.stringify({ t: 'unsubscribed', topic, reason } satisfies UnsubscribedFrame);

/** The user may not do this. Without `re`: a topic of `hello`. */
export function forbiddenFrame(re: string | undefined, action: string, topic: string): string {
  const message = `this user may not ${action} '${topic}': its token must grant it, or a rule of the namespace allow it`;
  return JSON.stringify({
    t: 'error',
    ...(re === undefined ? { topic } : { re }),
    code: errorCodes.forbidden,
    message,
  } satisfies ErrorFrame);
}

/** Longest text of a service's error that is passed on, bytes. */
const maxErrorBytes = 16_384;

/** A service's reply to a request: `ok` with its body, or the `error` that it names, or that it is too long for a frame. */
export function replyFrame(delivery: Delivery, maxBytes: number): string {
  const { correlationId = '', headers } = delivery.properties;
  const error = headers['evenkeel-error'];
  if (error === undefined) {
    const body = bodyFields(delivery, maxBytes);
    const frame = body && fitting(`{"t":"ok","re":${JSON.stringify(correlationId)}${body}}`, maxBytes);
    const message = `the reply is longer than the ${maxBytes} bytes that a frame may have`;
    return frame ?? errorFrame(correlationId, errorCodes.tooLarge, message);
  }
  // A table has no text, and asking it for one may throw.
  const code = typeof error === 'object' ? 'service-error' : String(error);
  return errorFrame(correlationId, code, delivery.body.toString('utf8', 0, maxErrorBytes), 'service');
}

/** Where a frame has its place among what is acknowledged. */
export interface Place {
  readonly seq: number;
  readonly isRedelivered: boolean;
  readonly again: number | undefined;
}

const placeFields = ({ seq, isRedelivered, again }: Place): string => {
  const position = again === undefined ? '' : `,"again":${again}`;
  return `,"seq":${seq}${isRedelivered ? `,"redelivered":true${position}` : ''}`;
};

/** A part of an answer. Undefined: it would be longer than frames may be. */
export function partFrame(delivery: Delivery, n: number, place: Place, maxBytes: number): string | undefined {
  const body = bodyFields(delivery, maxBytes);
  if (body === undefined) return undefined;
  const re = JSON.stringify(delivery.properties.correlationId ?? '');
  return fitting(`{"t":"part"${placeFields(place)},"re":${re},"n":${n}${body}}`, maxBytes);
}

/** A service asks the client. Undefined: it would be longer than frames may be. */
export function askFrame(
  delivery: Delivery,
  { id, method }: { readonly id: string; readonly method: string },
  place: Place,
  maxBytes: number,
): string | undefined {
  const body = bodyFields(delivery, maxBytes);
  if (body === undefined) return undefined;
  const named = `"id":${JSON.stringify(id)},"method":${JSON.stringify(method)}`;
  return fitting(`{"t":"ask"${placeFields(place)},${named}${body}}`, maxBytes);
}

/** Gives an answer its place behind its parts; `parts`: how many there were, as the service says. */
export function placed(frame: string, place: Place, parts: number | undefined): string {
  const count = parts === undefined ? '' : `,"parts":${parts}`;
  return `${frame.slice(0, -1)}${placeFields(place)}${count}}`;
}

/** The answer to a kind of frame that this version does not know. */
export function unknownKindFrame(id: string | undefined, kind: string): string {
  return errorFrame(id, errorCodes.unknownType, `'${kind}' is no kind of frame`);
}

/** A request failed; `re` is unknown when its frame had no readable id. `from`: who says so, if not the mesh. */
export function errorFrame(
  re: string | undefined,
  code: ErrorCode | (string & {}),
  message: string,
  from?: 'service',
): string {
  return JSON.stringify({
    t: 'error',
    ...(re === undefined ? {} : { re }),
    code,
    message,
    ...(from && { from }),
  } satisfies ErrorFrame);
}

/** It was not carried out, and will not be: the client is to send it again, after a while. */
export function laterFrame(re: string, message: string): string {
  const { retryAfterMs } = inAlarm;
  const code = errorCodes.brokerUnavailable;
  return JSON.stringify({ t: 'error', re, code, message, retryAfterMs } satisfies ErrorFrame);
}

/** The answer to `ping`. */
export const pongFrame = JSON.stringify({ t: 'pong' } satisfies PongFrame);
