import type { Delivery, DeliveryProperties } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { isoTime, publishedAt } from './time.js';

const delivery = (properties: Partial<DeliveryProperties>) =>
  ({ properties: { headers: {}, ...properties } }) as Delivery;
/** A header of type T, as amqplib reads it. */
const stamp = (value: unknown) => ({ '!': 'timestamp', value });

describe('the time of publishing', () => {
  const at = (timestamp: number | undefined) => publishedAt(delivery({ timestamp }), 9);

  it.each([
    ['seconds', 1_790_000_000, 1_790_000_000_000],
    ['milliseconds', 1_790_000_000_123, 1_790_000_000_123],
    ['microseconds', 1_790_000_000_123_456, 1_790_000_000_123],
    ['nanoseconds', 1.790000000123e18, 1_790_000_000_123],
  ])('is read from a timestamp in %s', (_unit, timestamp, ms) => {
    expect(at(timestamp)).toBe(ms);
  });

  it('is the clock’s where there is no timestamp, or one that is no time', () => {
    for (const timestamp of [undefined, 0, -5, Number.NaN, Number.POSITIVE_INFINITY, 9e15, 2 ** 63, 2 ** 64])
      expect(at(timestamp)).toBe(9);
  });

  it('is the header’s to the millisecond, and as if there were none where that is no time', () => {
    const headed = (value: unknown) =>
      publishedAt(delivery({ timestamp: 1_700_000_000, headers: { 'evenkeel-at': value } }), 9);
    expect(headed(1_700_000_000_123)).toBe(1_700_000_000_123);
    expect(headed(1_700_000_000_123.9)).toBe(1_700_000_000_123);
    expect(headed(1_700_000_000_123_456)).toBe(1_700_000_000_123);
    expect(headed(stamp(1_600_000_000))).toBe(1_600_000_000_000);
    const bad = [
      0,
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      9e15,
      1e30,
      '1700000000123',
      null,
      {},
      true,
    ];
    for (const each of [...bad, stamp(0), stamp('7'), stamp(undefined)])
      expect(headed(each)).toBe(1_700_000_000_000);
  });
});

describe('a time of AMQP’s own type', () => {
  it('is text by ISO 8601', () => {
    expect(isoTime(stamp(1_767_225_600))).toBe('2026-01-01T00:00:00.000Z');
    expect(isoTime(stamp(1_767_225_600_500))).toBe('2026-01-01T00:00:00.500Z');
  });

  it('is nothing else', () => {
    for (const none of [5, 'x', null, {}, stamp(-1), stamp(2 ** 64), { '!': 'decimal', value: 5 }, [1]])
      expect(isoTime(none)).toBeUndefined();
  });
});
