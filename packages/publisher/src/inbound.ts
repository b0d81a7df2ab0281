import type { Delivery } from '@evenkeel/broker';
import { isJsonType, isTextType, traceContextOf } from '@evenkeel/protocol/wire';
import type { InboundMessage } from './types.js';

/** What a handler gets. */
export function inboundMessage(delivery: Delivery, signal: AbortSignal): InboundMessage {
  const { headers, messageId } = delivery.properties;
  const text = (name: string): string => {
    const value = headers[name];
    return typeof value === 'string' ? value : '';
  };
  const { data, json } = read(delivery);
  return {
    method: delivery.key,
    data,
    ...(json !== undefined && { json }),
    user: text('evenkeel-user'),
    session: text('evenkeel-session'),
    id: messageId,
    headers,
    ...traceContextOf(headers),
    signal,
  };
}

/** JSON as its value, text as a string, anything else as bytes. What says that it is JSON and is none is text. */
export const dataOf = (delivery: Delivery): unknown => read(delivery).data;

/** `json`: the text of what is JSON. */
function read({ body, properties }: Delivery): { data: unknown; json?: string } {
  const { contentType } = properties;
  const isJson = !contentType || isJsonType(contentType);
  if (!isJson && !isTextType(contentType)) return { data: Uint8Array.from(body) };
  const text = body.toString('utf8');
  if (!isJson) return { data: text };
  try {
    return { data: JSON.parse(text), json: text };
  } catch {
    return { data: text };
  }
}
