/**
 * Every frame that leaves an edge is built here, from the types of the protocol to the text on the wire. What is sent
 * often is put together as text: an event's body is never parsed only to be written again.
 */
import type { Delivery } from '@evenkeel/broker';
import {
  type ErrorCode,
  type ErrorFrame,
  eventName,
  exchanges,
  type GapFrame,
  type GapReason,
  type MoveFrame,
  type PongFrame,
  type WelcomeFrame,
} from '@evenkeel/protocol';
import { bodyFields, messageIdentity, publishedAt } from './body.js';

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

/** A directed event; `nowMs` stands in for the time of publishing where the message has none. */
export function eventFrame(seq: number, delivery: Delivery, nowMs: number, isRedelivered: boolean): string {
  const id = JSON.stringify(messageIdentity(delivery));
  const name = JSON.stringify(eventName(delivery.key) ?? delivery.key);
  const flag = isRedelivered ? ',"redelivered":true' : '';
  return `{"t":"event","seq":${seq},"id":${id},"name":${name},"at":${publishedAt(delivery, nowMs)}${flag}${bodyFields(delivery)}}`;
}

/** A topic's message. Its id comes from content alone, so that both edges of a move give it the same one. */
export function messageFrame(topic: string, delivery: Delivery, nowMs: number): string {
  const id = JSON.stringify(messageIdentity(delivery));
  return `{"t":"message","topic":${JSON.stringify(topic)},"id":${id},"at":${publishedAt(delivery, nowMs)}${bodyFields(delivery)}}`;
}

/** Something may be missing: of `topic`, or of the session's own events. */
export function gapFrame(reason: GapReason, topic?: string): string {
  return JSON.stringify({
    t: 'gap',
    ...(topic === undefined ? {} : { topic }),
    reason,
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
export const movedFrame = (seq: number, received: number): string =>
  `{"t":"moved","seq":${seq},"received":${received}}`;

/** A request is carried out and has nothing to bring back. */
export const okFrame = (re: string): string => `{"t":"ok","re":${JSON.stringify(re)}}`;

/** Whether it is a service's reply: by `mesh.replies`, or straight to the queue. */
export const isReply = ({ exchange }: Delivery): boolean => exchange === '' || exchange === exchanges.replies;

/** A service's reply to a request: `ok` with its body, or the `error` that it names. */
export function replyFrame(delivery: Delivery): string {
  const { correlationId = '', headers } = delivery.properties;
  const error = headers['evenkeel-error'];
  if (error === undefined) return `{"t":"ok","re":${JSON.stringify(correlationId)}${bodyFields(delivery)}}`;
  // A table has no text, and asking it for one may throw.
  const code = typeof error === 'object' ? 'service-error' : String(error);
  return errorFrame(correlationId, code, delivery.body.toString('utf8'));
}

/** A request failed; `re` is unknown when its frame had no readable id. */
export function errorFrame(re: string | undefined, code: ErrorCode | (string & {}), message: string): string {
  return JSON.stringify({
    t: 'error',
    ...(re === undefined ? {} : { re }),
    code,
    message,
  } satisfies ErrorFrame);
}

/** The answer to `ping`. */
export const pongFrame = JSON.stringify({ t: 'pong' } satisfies PongFrame);
