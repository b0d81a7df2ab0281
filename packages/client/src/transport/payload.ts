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

/** What an event and a message have in common, as a handler gets it. */
export function contentOf(frame: EventFrame | MessageFrame): Content {
  const { id, at, headers, contentType, contentEncoding } = frame;
  const content: Content = { id, data: dataOf(frame), at };
  // One by one: spreading what is seldom there costs a tenth of what an event costs.
  if (headers) content.headers = headers;
  if (contentType) content.contentType = contentType;
  if (contentEncoding) content.contentEncoding = contentEncoding;
  return content;
}

type Content = Pick<EventFrame, 'id' | 'data' | 'at' | 'headers' | 'contentType' | 'contentEncoding'>;
