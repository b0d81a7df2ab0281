import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Channel, ChannelModel } from 'amqplib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keepBinaryIds } from './binary-ids.js';
import { surviveDeepHeaders } from './deep-headers.js';
import { handleLargeBodies, longestPlain } from './large-bodies.js';
import { QuickDeliveries } from './quick-deliveries.js';

// Not among what it exports.
const require = createRequire(import.meta.url);
const inside = (file: string): string => join(dirname(require.resolve('amqplib')), 'lib', file);
const { Connection } = require(inside('connection')) as { Connection: new (stream: unknown) => Reader };
const { BaseChannel } = require(inside('channel')) as { BaseChannel: new (connection: Reader) => Reading };
const defs = require(inside('defs')) as {
  BasicProperties: number;
  BasicDeliver: number;
  BasicReturn: number;
  BasicAck: number;
  encodeMethod(id: number, channel: number, fields: object): Buffer;
  encodeProperties(id: number, channel: number, size: number, fields: object): Buffer;
};
const { makeBodyFrame } = require(inside('frame')) as { makeBodyFrame(channel: number, b: Buffer): Buffer };

interface Reader {
  channelMax: number;
  rest: Buffer;
  recvSinceLastCheck: boolean;
  channels: (object | null)[];
  accept(frame: { channel: number }): void;
  recvFrame(): false | { channel: number };
}

interface Reading extends EventEmitter {
  readonly ch: number;
  allocate(): void;
  accept(frame: object): void;
}

interface Message {
  channel: number;
  isReturned: boolean;
  fields: object;
  properties: Record<string, unknown>;
  length: number;
  pieceBytes: number;
}

const channels = [1, 2, 3];
const heartbeat = Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]);

function bytesOf({ channel, isReturned, fields, properties, length, pieceBytes }: Message): Buffer {
  const announced = isReturned
    ? defs.encodeMethod(defs.BasicReturn, channel, { replyCode: 312, replyText: 'NO_ROUTE', ...fields })
    : defs.encodeMethod(defs.BasicDeliver, channel, fields);
  const frames = [announced, defs.encodeProperties(defs.BasicProperties, channel, length, properties)];
  const body = Buffer.from(Uint8Array.from({ length }, (_, n) => (n * 31 + channel) & 255));
  for (let from = 0; from < length; from += pieceBytes)
    frames.push(makeBodyFrame(channel, body.subarray(from, from + pieceBytes)));
  return Buffer.concat(frames);
}

/** A connection with three channels, and what came on each, in order. */
function connected(isQuick: boolean, handle = () => {}) {
  const stream = { waiting: [] as Buffer[], read: () => stream.waiting.shift() ?? null };
  const connection = new Connection(new PassThrough());
  Object.assign(connection, { stream, channelMax: 10, maxFrameSize: 131_072 });
  connection.accept = (frame) => {
    const slot = connection.channels[frame.channel] as { channel: Reading } | null;
    slot?.channel.accept(frame);
  };
  const model = { connection } as unknown as ChannelModel;
  const quick = new QuickDeliveries(isQuick ? model : undefined);
  handleLargeBodies(model);
  surviveDeepHeaders(model);
  keepBinaryIds(model);
  const came: unknown[] = [];
  let quickly = 0;
  const open = channels.map((_, n) => {
    const channel = new BaseChannel(connection);
    channel.allocate();
    for (const event of ['delivery', 'return', 'ack'])
      channel.on(event, (what) => came.push({ n, event, what }));
    // One of them is not listened to.
    if (n < 2)
      quick.on(channel as unknown as Channel, (what) => {
        quickly += 1;
        handle();
        came.push({ n, event: 'delivery', what });
      });
    return channel;
  });
  const read = (bytes: Buffer) => {
    stream.waiting.push(bytes);
    for (let frame = connection.recvFrame(); frame; frame = connection.recvFrame()) connection.accept(frame);
  };
  return { connection, quick, open, read, came, quickly: () => quickly };
}

const text = fc.string({ unit: 'binary', maxLength: 20 });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const value = fc.oneof(
  { weight: 8, arbitrary: fc.oneof(text, fc.boolean(), fc.integer(), fc.maxSafeInteger()) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.constant(null),
      fc.array(fc.boolean()),
      fc.constant({ a: 1 }),
    ),
  },
);
const properties = fc.record({
  contentType: maybe(fc.constantFrom('application/json', 'text/plain')),
  contentEncoding: maybe(text),
  headers: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant({}) },
    { weight: 2, arbitrary: fc.dictionary(fc.string({ maxLength: 5 }), value, { maxKeys: 4 }) },
  ),
  deliveryMode: maybe(fc.constantFrom(1, 2)),
  priority: maybe(fc.nat(9)),
  correlationId: maybe(text),
  replyTo: maybe(text),
  expiration: maybe(fc.nat().map(String)),
  messageId: maybe(text),
  timestamp: maybe(fc.nat()),
  type: maybe(text),
  userId: maybe(text),
  appId: maybe(text),
});
const message: fc.Arbitrary<Message> = fc.record({
  channel: fc.constantFrom(...channels),
  isReturned: fc.nat(5).map((n) => n === 0),
  fields: fc.record({
    consumerTag: text,
    deliveryTag: fc.maxSafeNat(),
    redelivered: fc.boolean(),
    exchange: text,
    routingKey: text,
  }),
  properties,
  length: fc.oneof(
    { weight: 8, arbitrary: fc.nat(300) },
    { weight: 1, arbitrary: fc.integer({ min: longestPlain - 2, max: longestPlain + 2 }) },
  ),
  pieceBytes: fc.constantFrom(131_064, 4_088),
});
const between = fc.constantFrom(
  Buffer.alloc(0),
  heartbeat,
  defs.encodeMethod(defs.BasicAck, 2, { deliveryTag: 7, multiple: true }),
);

test('whatever is delivered, in whatever pieces, is what amqplib reads, in its order', () => {
  let quickly = 0;
  const all = fc.array(fc.tuple(message, between), { minLength: 1, maxLength: 12 });
  const cut = fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1_000, max: 60_000 }));
  const cuts = fc.tuple(fc.integer({ min: 1_000, max: 9_000 }), fc.array(cut, { maxLength: 4 }));
  fc.assert(
    fc.property(all, cuts, fc.boolean(), (messages, [coarse, others], isDirect) => {
      const how = [...others, coarse];
      const bytes = Buffer.concat(messages.flatMap(([each, other]) => [bytesOf(each), other]));
      const [quick, plain] = [connected(true), connected(false)];
      for (let from = 0, n = 0; from < bytes.length; n++) {
        const to = from + (how[n % how.length] ?? 1);
        const piece = bytes.subarray(from, to);
        quick.read(piece.subarray(isDirect ? quick.quick.takeRead(piece) : 0));
        plain.read(piece);
        from = to;
      }
      expect(quick.came).toEqual(plain.came);
      quickly += quick.quickly();
    }),
    { numRuns: 100 },
  );
  expect(quickly).toBeGreaterThan(100);
});

const plainly = (channel: number): Message => ({
  channel,
  isReturned: false,
  fields: { consumerTag: 'c1', deliveryTag: 2 ** 40 + 5, redelivered: true, exchange: 'e', routingKey: 'k' },
  properties: { contentType: 'application/json', messageId: 'm' },
  length: 40,
  pieceBytes: 4_088,
});

test('an id that is no text is told as such, as where amqplib reads it', () => {
  const { read, came, quickly } = connected(true);
  const bytes = bytesOf({ ...plainly(1), properties: { messageId: 'abcd' } });
  const at = bytes.indexOf('abcd');
  Buffer.from([0, 0, 0, 128]).copy(bytes, at);
  read(bytes);
  expect(came).toMatchObject([{ what: { properties: { messageId: 'b64:AAAAgA' } } }]);
  expect(quickly()).toBe(1);
});

test('what is delivered once the channel, or the connection, is being closed goes to nobody', () => {
  for (const closing of ['channel', 'connection', 'number'] as const) {
    const { connection, open, read, came, quickly } = connected(true);
    read(bytesOf(plainly(1)));
    if (closing === 'channel' && open[0]) open[0].accept = () => {};
    if (closing === 'connection') connection.accept = () => {};
    // Another has its number now.
    if (closing === 'number') connection.channels[1] = { channel: { accept() {} } };
    read(bytesOf(plainly(1)));
    expect(came).toHaveLength(1);
    expect(quickly()).toBe(1);
  }
});

test('what breaks while it is handled is told as amqplib tells it, and not handled once more', () => {
  const { open, read, came, quickly } = connected(true, () => {
    throw new Error('a bug');
  });
  const told: unknown[] = [];
  open[0]?.on('handler-error', (error) => told.push(String(error)));
  read(Buffer.concat([bytesOf(plainly(1)), bytesOf(plainly(3))]));
  expect(told).toEqual(['Error: a bug']);
  expect([quickly(), came.length]).toEqual([1, 1]);
});

test('what is not what it says it is goes to amqplib, which ends the connection', () => {
  const { read, quickly } = connected(true);
  const bytes = bytesOf(plainly(1));
  // The text is longer than what there is.
  bytes[7 + 4] = 255;
  expect(() => read(bytes)).toThrow();
  expect(quickly()).toBe(0);
});

test('what the socket has just read is taken at once, where nothing waits before it, and copied', () => {
  const { connection, quick, read, came, quickly } = connected(true);
  const bytes = bytesOf(plainly(1));
  const both = Buffer.concat([bytes, bytes.subarray(0, 10)]);
  expect(quick.takeRead(both)).toBe(bytes.length);
  both.fill(0xaa);
  const [first] = came as { what: { content: Buffer } }[];
  expect(first?.what.content).toEqual(Buffer.from(Uint8Array.from({ length: 40 }, (_, n) => n * 31 + 1)));
  expect([quickly(), connection.recvSinceLastCheck]).toEqual([1, true]);
  read(bytes.subarray(0, 10));
  expect(quick.takeRead(bytes.subarray(10))).toBe(0);
  read(bytes.subarray(10));
  expect(quickly()).toBe(2);
  expect(quick.takeRead(bytesOf(plainly(3)))).toBe(0);
});
