import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Delivery } from '@evenkeel/broker';
import { atHeader } from '@evenkeel/protocol';

const jsonType = /^application\/(?:[\w.+-]+\+)?json\b/i;
const textType = /^text\//i;
const carried = /^(?:traceparent|tracestate|cloudEvents[:_].+)$/;
const byteOrderMark = '\uFEFF';

/** The part of a frame that carries an AMQP message's body and headers, as JSON text beginning with a comma. */
export function bodyFields(delivery: Delivery): string {
  return `${dataField(delivery)}${headersField(delivery.properties.headers)}`;
}

function dataField(delivery: Delivery): string {
  const { body } = delivery;
  const contentType = delivery.properties.contentType;
  const isOpaque = contentType !== undefined && !jsonType.test(contentType) && !textType.test(contentType);
  if (!isOpaque) {
    const text = decode(body);
    if (text !== undefined) {
      const isText = contentType !== undefined && textType.test(contentType);
      return `,"data":${!isText && isJson(text) ? text : JSON.stringify(text)}`;
    }
  }
  const type = JSON.stringify(contentType ?? 'application/octet-stream');
  return `,"data":"${body.toString('base64')}","encoding":"base64","contentType":${type}`;
}

function decode(body: Buffer): string | undefined {
  if (!isUtf8(body)) return undefined;
  const text = body.toString('utf8');
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function headersField(headers: Record<string, unknown> | undefined): string {
  if (!headers) return '';
  let found: Record<string, string> | undefined;
  for (const name in headers) {
    if (!carried.test(name)) continue;
    const value = headers[name];
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    found ??= {};
    found[name] = String(value);
  }
  return found ? `,"headers":${JSON.stringify(found)}` : '';
}

/** Identity of a message: the publisher's, or `~` + a digest of what it is made of. */
export function messageIdentity(delivery: Delivery): string {
  const { messageId, timestamp } = delivery.properties;
  if (messageId) return messageId;
  const digest = createHash('sha1')
    .update(delivery.key)
    .update(`\0${timestamp ?? ''}\0`)
    .update(delivery.body);
  return `~${digest.digest('base64url')}`;
}

/** The latest time that a date can have, ms. */
const maxTimeMs = 8.64e15;

/**
 * When it was published, ms: as its header says, else by AMQP's timestamp, which is in seconds (some publishers write ms). What
 * is no time is as if it were not there.
 */
export function publishedAt(delivery: Delivery, nowMs: number): number {
  const { headers, timestamp: stamp } = delivery.properties;
  const at = headers[atHeader];
  if (typeof at === 'number' && at >= 1 && at <= maxTimeMs) return Math.floor(at);
  if (typeof stamp !== 'number' || !Number.isFinite(stamp) || stamp <= 0) return nowMs;
  const stampMs = stamp < 1e11 ? stamp * 1000 : stamp;
  return stampMs <= maxTimeMs ? stampMs : nowMs;
}
