import {
  atHeader,
  isJsonType,
  isTextType,
  type Payload,
  type PublishFrame,
  type RequestFrame,
  traceContextOf,
} from '@evenkeel/protocol/wire';
import type { Message } from '../broker/queue.js';

/** What a frame carries of a message: its body and its trace context. Source: PROTOCOL.md, "Bodies". */
export const payloadOf = (message: Message): Payload => ({
  ...contentOf(message),
  ...traceContextOf(message.properties.headers ?? {}),
});

function contentOf({ body, properties }: Message): Payload {
  const { contentType = '' } = properties;
  const text = body.toString('utf8');
  if (contentType === '' || isJsonType(contentType)) {
    try {
      return { data: JSON.parse(text) };
    } catch {
      return { data: text };
    }
  }
  if (isTextType(contentType)) return { data: text };
  return { data: body.toString('base64'), encoding: 'base64', contentType };
}

/** When it was published, ms since the epoch. */
export function timeOf({ properties }: Message): number {
  const at = properties.headers?.[atHeader];
  return typeof at === 'number' ? at : Date.now();
}

/** The headers that reach clients. */
export function headersOf({ properties }: Message): { headers?: Record<string, string> } {
  const carried = Object.entries(properties.headers ?? {}).filter(([name]) =>
    /^(?:x-.+|traceparent|tracestate|cloudEvents[:_].+)$/.test(name),
  );
  if (carried.length === 0) return {};
  return { headers: Object.fromEntries(carried.map(([name, value]) => [name, String(value)])) };
}

/** What a client sends to services. */
export type InboundFrame = PublishFrame | RequestFrame;

/** The body that services get, and its type. */
export function bodyOf({ data = null, encoding, contentType }: InboundFrame): {
  body: Buffer;
  contentType: string;
} {
  if (encoding === undefined)
    return { body: Buffer.from(JSON.stringify(data)), contentType: 'application/json' };
  return {
    body: Buffer.from(String(data), 'base64'),
    contentType: contentType ?? 'application/octet-stream',
  };
}
