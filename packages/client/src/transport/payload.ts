import type { EventFrame, MessageFrame, Payload } from '@evenkeel/protocol/wire';

/** The value a frame carries: JSON or text as it is, other bytes as a `Uint8Array`. */
export function dataOf(frame: Partial<Payload>): unknown {
  if (frame.encoding !== 'base64') return frame.data;
  return Uint8Array.from(atob(String(frame.data)), (c) => c.charCodeAt(0));
}

/** The fields of a frame that carry `data` to a service: bytes as base64, anything else as JSON. */
export function fieldsOf(data: unknown): object {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(bytes instanceof Uint8Array)) return { data };
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { data: btoa(binary), encoding: 'base64' };
}

/**
 * Makes of `named`, which has its name, what a handler gets of an event or a message. Field by field: to spread what is seldom
 * there costs a tenth of what an event costs.
 */
export function contentOf<Content>(named: { name: string } | { topic: string }, frame: Fields): Content {
  const content = named as { -readonly [Name in keyof Fields]: Fields[Name] | undefined };
  content.id = frame.id;
  content.data = dataOf(frame);
  content.at = frame.at;
  if (frame.headers) content.headers = frame.headers;
  if (frame.traceparent) content.traceparent = frame.traceparent;
  if (frame.tracestate) content.tracestate = frame.tracestate;
  if (frame.contentType) content.contentType = frame.contentType;
  if (frame.contentEncoding) content.contentEncoding = frame.contentEncoding;
  if (frame.redelivered) content.redelivered = frame.redelivered;
  if (frame.position) content.position = frame.position;
  if (frame.past) content.past = frame.past;
  if (frame.from) content.from = frame.from;
  if (frame.key) content.key = frame.key;
  return content as Content;
}

type Fields = Partial<Omit<EventFrame, 't'> & Omit<MessageFrame, 't'>>;
