import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { Delivery, DeliveryProperties } from '@evenkeel/broker';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyFields, messageIdentity } from './body.js';

const delivery = (body: Buffer | string, properties: Partial<DeliveryProperties> = {}, key = 'user.a.x') =>
  ({
    body: Buffer.from(body as string),
    key,
    exchange: 'mesh.events',
    redelivered: false,
    properties: { headers: {}, ...properties },
  }) as Delivery;

const maxBytes = 1_048_576;

/** The fields as a client reads them. */
const read = (d: Delivery): Record<string, unknown> => JSON.parse(`{"t":"x"${bodyFields(d, maxBytes)}}`);

describe('bodyFields', () => {
  it('carries JSON as it is, byte for byte', () => {
    const text = '{"n":12345678901234567890, "a" : [1.0]}';
    expect(bodyFields(delivery(text, { contentType: 'application/json' }), maxBytes)).toBe(`,"data":${text}`);
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

  it('has a well-formed trace context in fields of its own, and nothing of one that is not', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const traced = { traceparent, tracestate: 'a=1,b="2"' };
    expect(read(delivery('1', { headers: { tracestate: traced.tracestate, traceparent, x: 1 } }))).toEqual({
      t: 'x',
      data: 1,
      ...traced,
      headers: traced,
    });
    const malformed = read(delivery('1', { headers: { ...traced, traceparent: '00-1' } }));
    expect(malformed).not.toHaveProperty('traceparent');
    expect(malformed).not.toHaveProperty('tracestate');
    // It is not kept out by what fills `headers`.
    const full = { 'cloudEvents:a': 'a'.repeat(4_000), ...traced };
    expect(read(delivery('1', { headers: full }))).toMatchObject(traced);
  });
});

describe('the body of a message that is encoded', () => {
  const json = { contentType: 'application/json' };
  const text = '{"n":1,"s":"äöü"}';
  const value = { n: 1, s: 'äöü' };
  const utf16be = Buffer.from(text, 'utf16le').swap16();
  const marked = Buffer.concat([Buffer.from([0xfe, 0xff]), utf16be]);

  it.each<[string, Buffer, Partial<DeliveryProperties>]>([
    ['gzip', gzipSync(text), { contentEncoding: 'gzip' }],
    ['gzip by its other name', gzipSync(text), { contentEncoding: 'X-GZIP' }],
    ['deflate', deflateSync(text), { contentEncoding: 'deflate' }],
    ['deflate without its header', deflateRawSync(text), { contentEncoding: 'deflate' }],
    ['br', brotliCompressSync(text), { contentEncoding: 'br' }],
    ['one on another', brotliCompressSync(gzipSync(text)), { contentEncoding: 'gzip, br' }],
    ['identity', Buffer.from(text), { contentEncoding: 'identity' }],
    ['binary, as Celery says', Buffer.from(text), { contentEncoding: 'binary' }],
    ['utf-8 as an encoding', Buffer.from(text), { contentEncoding: 'utf-8' }],
    ['utf-16 as an encoding', Buffer.from(text, 'utf16le'), { contentEncoding: 'utf-16le' }],
    ['utf-16', Buffer.from(text, 'utf16le'), { contentType: 'application/json; charset=UTF-16' }],
    ['utf-16 with a mark', marked, { contentType: 'application/json;charset="utf-16"' }],
    ['a mark of utf-16 alone', marked, {}],
    ['latin1', Buffer.from(text, 'latin1'), { contentType: 'application/json; charset=iso-8859-1' }],
    [
      'both',
      gzipSync(Buffer.from(text, 'utf16le')),
      { contentEncoding: 'gzip', contentType: 'application/json; charset=utf-16le' },
    ],
  ])('is read: %s', (_how, body, properties) => {
    expect(read(delivery(body, { ...json, ...properties }))).toEqual({ t: 'x', data: value });
  });

  it('is told as bytes with its encoding where it cannot be read', () => {
    for (const contentEncoding of ['zstd', 'gzip', 'gzip,gzip,gzip,gzip', 'br', 'constructor', '__proto__']) {
      expect(read(delivery('{"n":1}', { ...json, contentEncoding }))).toEqual({
        t: 'x',
        data: Buffer.from('{"n":1}').toString('base64'),
        encoding: 'base64',
        contentType: 'application/json',
        contentEncoding,
      });
    }
    const unknown = { contentType: 'text/plain; charset=klingon' };
    expect(read(delivery('x', unknown))).toMatchObject({ encoding: 'base64', ...unknown });
  });

  it('is decoded also where its type is opaque', () => {
    const type = { contentType: 'application/protobuf' };
    expect(read(delivery(gzipSync('abc'), { ...type, contentEncoding: 'gzip' }))).toEqual({
      t: 'x',
      data: Buffer.from('abc').toString('base64'),
      encoding: 'base64',
      ...type,
    });
  });

  it('is decoded no further than a frame may be long, whatever is in it', () => {
    const zeros = Buffer.alloc(50_000_000);
    for (const [body, contentEncoding] of [
      [gzipSync(zeros), 'gzip'],
      [brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }), 'br'],
      [deflateSync(zeros), 'deflate'],
    ] as const)
      expect(bodyFields(delivery(body, { ...json, contentEncoding }), maxBytes)).toBeUndefined();
  });

  it('may be text/json, or of an empty type, which is as good as none', () => {
    expect(read(delivery('[1]', { contentType: 'text/json' })).data).toEqual([1]);
    expect(read(delivery('[1]', { contentType: '', contentEncoding: '' })).data).toEqual([1]);
    const bytes = delivery(Buffer.from([0xff]), { contentType: '' });
    expect(read(bytes)).toMatchObject({ encoding: 'base64', contentType: 'application/octet-stream' });
  });

  it('is looked at once for all who get it, and not taken for another', () => {
    const big = (n: number) => Buffer.from(JSON.stringify([n, 'x'.repeat(10_000)]));
    const one = bodyFields(delivery(big(1), json), maxBytes);
    expect(bodyFields(delivery(big(1), json), maxBytes)).toBe(one);
    expect(bodyFields(delivery(big(2), json), maxBytes)).not.toBe(one);
    expect(read(delivery(big(1), { contentType: 'text/plain' })).data).toBe(big(1).toString());
    expect(bodyFields(delivery(big(1), json), 5_000)).toBeUndefined();
  });
});

describe('headers', () => {
  const carried = (headers: Record<string, unknown>) => read(delivery('1', { headers })).headers ?? {};

  it('of the application’s own begin with x-, and RabbitMQ’s are none', () => {
    const headers = { 'x-tenant': 'a', 'x-n': 5, 'x-table': { a: 1 }, 'x-death': [{}], 'x-delay': 5 };
    const own = { 'x-first-death-queue': 'q', 'x-delivery-count': 1, 'x-match': 'all', 'X-Tenant': 'b' };
    expect(carried({ ...headers, ...own })).toEqual({ 'x-tenant': 'a', 'x-n': '5' });
  });

  it('are bounded together, and half a value is not carried', () => {
    const custom = carried({ 'x-a': 'a'.repeat(2_000), 'x-b': 'b'.repeat(100), 'x-c': 'c'.repeat(30) });
    expect(Object.keys(custom as object)).toEqual(['x-a', 'x-c']);
    const events = Object.fromEntries(
      Array.from({ length: 100 }, (_, n) => [`cloudEvents:a${n}`, 'ä'.repeat(100)]),
    );
    expect(JSON.stringify(carried(events)).length).toBeLessThan(4_096);
  });

  it('have a tracestate with whole members, up to what W3C asks for', () => {
    const members = Array.from({ length: 60 }, (_, n) => `vendor${n}=value${n}`);
    const { tracestate } = carried({ tracestate: members.join() }) as { tracestate: string };
    expect(tracestate.length).toBeLessThanOrEqual(512);
    expect(members.join().startsWith(`${tracestate},`)).toBe(true);
    expect(carried({ tracestate: 'x'.repeat(60_000) })).toEqual({});
  });

  it('of AMQP’s own time are text', () => {
    const time = { '!': 'timestamp', value: 1_767_225_600 };
    expect(carried({ cloudEvents_time: time })).toEqual({ cloudEvents_time: '2026-01-01T00:00:00.000Z' });
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
