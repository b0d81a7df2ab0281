import type { Delivery, DeliveryProperties } from '@evenkeel/broker';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyFields, messageIdentity, publishedAt } from './body.js';

const delivery = (body: Buffer | string, properties: Partial<DeliveryProperties> = {}, key = 'user.a.x') =>
  ({
    body: Buffer.from(body as string),
    key,
    exchange: 'mesh.events',
    redelivered: false,
    properties: { headers: {}, ...properties },
  }) as Delivery;

/** The fields as a client reads them. */
const read = (d: Delivery): Record<string, unknown> => JSON.parse(`{"t":"x"${bodyFields(d)}}`);

describe('bodyFields', () => {
  it('carries JSON as it is, byte for byte', () => {
    const text = '{"n":12345678901234567890, "a" : [1.0]}';
    expect(bodyFields(delivery(text, { contentType: 'application/json' }))).toBe(`,"data":${text}`);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/cloudevents+json', undefined])(
    'takes a body that is JSON for JSON with the content type %s',
    (contentType) => {
      expect(read(delivery('[1]', { contentType })).data).toEqual([1]);
    },
  );

  it('carries text as a string, even when it could be read as JSON', () => {
    expect(read(delivery('17', { contentType: 'text/plain; charset=utf-8' })).data).toBe('17');
    expect(read(delivery('half {', { contentType: 'application/json' })).data).toBe('half {');
  });

  it('carries anything else as base64 with its content type', () => {
    expect(read(delivery('{}', { contentType: 'application/jsonp' }))).toMatchObject({
      data: 'e30=',
      encoding: 'base64',
      contentType: 'application/jsonp',
    });
    expect(read(delivery(Buffer.from([0xc3]), {}))).toMatchObject({
      data: 'ww==',
      encoding: 'base64',
      contentType: 'application/octet-stream',
    });
  });

  it('never breaks out of its field, whatever the body and content type are', () => {
    const types = fc.option(fc.oneof(fc.string(), fc.constantFrom('application/json', 'text/html')), {
      nil: undefined,
    });
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b)),
      fc.string({ unit: 'binary' }).map((s) => Buffer.from(s)),
      fc.json().map((s) => Buffer.from(s)),
    );
    fc.assert(
      fc.property(bodies, types, (body, contentType) => {
        const fields = read(delivery(body, { contentType }));
        expect(
          Object.keys(fields).filter((k) => !['t', 'data', 'encoding', 'contentType'].includes(k)),
        ).toEqual([]);
        expect(fields.t).toBe('x');
        if (fields.encoding === 'base64') expect(Buffer.from(String(fields.data), 'base64')).toEqual(body);
      }),
    );
  });

  it('takes JSON behind a byte order mark for JSON, and keeps line separators', () => {
    expect(read(delivery('\uFEFF{"a":"\u2028"}', { contentType: 'application/json' })).data).toEqual({
      a: '\u2028',
    });
  });

  it('carries trace and CloudEvents headers as text, and no others', () => {
    const headers = {
      traceparent: '00-1',
      tracestate: 's',
      'cloudEvents:type': 't',
      cloudEvents_time: 5,
      cloudEvents_nested: { a: 1 },
      traceparent2: 'no',
      password: 'no',
    };
    expect(read(delivery('1', { headers })).headers).toEqual({
      traceparent: '00-1',
      tracestate: 's',
      'cloudEvents:type': 't',
      cloudEvents_time: '5',
    });
    expect(read(delivery('1', { headers: { password: 'no' } }))).not.toHaveProperty('headers');
  });
});

describe('messageIdentity', () => {
  it('is the publisher’s where there is one', () => {
    expect(messageIdentity(delivery('1', { messageId: 'm1' }))).toBe('m1');
  });

  it('is derived from key, time and body otherwise, the same on every edge', () => {
    const one = messageIdentity(delivery('1', { timestamp: 5 }));
    expect(one).toMatch(/^~[A-Za-z0-9_-]+$/);
    expect(messageIdentity(delivery('1', { timestamp: 5 }))).toBe(one);
    for (const other of [
      delivery('2', { timestamp: 5 }),
      delivery('1', { timestamp: 6 }),
      delivery('1'),
      delivery('1', { timestamp: 5 }, 'user.a.y'),
    ]) {
      expect(messageIdentity(other)).not.toBe(one);
    }
  });
});

describe('publishedAt', () => {
  it('reads seconds and milliseconds, and takes the clock where there is neither or it is no time', () => {
    expect(publishedAt(delivery('1', { timestamp: 1_700_000_000 }), 1)).toBe(1_700_000_000_000);
    expect(publishedAt(delivery('1', { timestamp: 1_700_000_000_123 }), 1)).toBe(1_700_000_000_123);
    for (const timestamp of [undefined, 0, -5, Number.NaN, 9e15, 2 ** 63])
      expect(publishedAt(delivery('1', { timestamp }), 9)).toBe(9);
  });

  it('goes by the header to the millisecond, and as if there were none where that is no time', () => {
    const at = (value: unknown) =>
      publishedAt(delivery('1', { timestamp: 1_700_000_000, headers: { 'evenkeel-at': value } }), 9);
    expect(at(1_700_000_000_123)).toBe(1_700_000_000_123);
    expect(at(1_700_000_000_123.9)).toBe(1_700_000_000_123);
    for (const bad of [
      0,
      -1,
      0.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      9e15,
      '1700000000123',
      null,
      {},
      true,
    ])
      expect(at(bad)).toBe(1_700_000_000_000);
  });
});
