import type { Delivery } from '@evenkeel/broker';
import { atHeader } from '@evenkeel/protocol';

/** From here on a number is no ms any more, and below a thousandth of it seconds: 5138 in the one, 1973 in the other. */
const maxMs = 1e14;
const maxSeconds = maxMs / 1_000;
/** A time behind it is none: 2200. */
const latestMs = Date.UTC(2200, 0);

/** A number of ms, µs or ns since the epoch as ms; undefined: it is no time. */
function readMs(value: number): number | undefined {
  if (!(value >= 1)) return undefined;
  let ms = value;
  for (const _ of ['µs', 'ns']) if (ms >= maxMs) ms /= 1_000;
  return inTime(ms);
}

/** AMQP has seconds; publishers write all there is. */
const readStamp = (value: number): number | undefined =>
  value > 0 && value < maxSeconds ? inTime(value * 1_000) : readMs(value);

const inTime = (ms: number): number | undefined => (ms < latestMs ? Math.floor(ms) : undefined);

/** A header of AMQP's type T, as amqplib reads it. */
function stampOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null || !('!' in value) || !('value' in value)) return undefined;
  return value['!'] === 'timestamp' && typeof value.value === 'number' ? readStamp(value.value) : undefined;
}

/** A time of AMQP's type T as text by ISO 8601; undefined: it is none. */
export function isoTime(value: unknown): string | undefined {
  const ms = stampOf(value);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/**
 * When a message was published, ms since the epoch: as its header says, else by AMQP's timestamp. What is no time, or one after
 * 2199, is as if it were not there.
 */
export const publishedAt = ({ properties }: Pick<Delivery, 'properties'>, nowMs: number): number =>
  statedTime(properties) ?? nowMs;

/** The same, undefined where the message does not say. */
export function statedTime({ headers, timestamp }: Delivery['properties']): number | undefined {
  const at = headers[atHeader];
  if (at !== undefined) {
    const ms = typeof at === 'number' ? readMs(at) : stampOf(at);
    if (ms !== undefined) return ms;
  }
  return typeof timestamp === 'number' ? readStamp(timestamp) : undefined;
}
