import type { Delivery } from '@evenkeel/broker';
import { bodyFields, messageIdentity } from './body.js';
import { publishedAt } from './time.js';

/**
 * What a topic's message has behind its topic, as JSON text beginning with a comma. Undefined: a frame with it would be longer than
 * frames may be.
 */
export function messageRest(
  message: Pick<Delivery, 'key' | 'body' | 'properties'>,
  nowMs: number,
  maxBytes: number,
  from?: { readonly user: string; readonly session: string },
): string | undefined {
  const body = bodyFields(message, maxBytes);
  if (body === undefined) return undefined;
  const id = JSON.stringify(messageIdentity(message));
  const at = publishedAt(message, nowMs);
  const sender = from ? `,"from":${JSON.stringify({ user: from.user, session: from.session })}` : '';
  return fitting(`,"id":${id},"at":${at}${sender}${body}`, maxBytes);
}

/** The text, or undefined: it has more bytes. A character has at most three bytes of UTF-8, so most need not be counted. */
export function fitting(frame: string, maxBytes: number): string | undefined {
  return frame.length * 3 <= maxBytes || Buffer.byteLength(frame) <= maxBytes ? frame : undefined;
}
