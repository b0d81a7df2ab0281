import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ChannelModel } from 'amqplib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { handleLargeBodies } from './large-bodies.js';
import { roomyBody } from './roomy-body.js';
import { SharedReads } from './socket.js';

// Not among what it exports.
const require = createRequire(import.meta.url);
const inside = (file: string): string => join(dirname(require.resolve('amqplib')), 'lib', file);
const { Connection } = require(inside('connection')) as { Connection: new (stream: unknown) => Reader };
const defs = require(inside('defs')) as {
  BasicProperties: number;
  BasicAck: number;
  BasicReturn: number;
  encodeMethod(id: number, channel: number, fields: object): Buffer;
  encodeProperties(id: number, channel: number, size: number, fields: object): Buffer;
};
const { makeBodyFrame } = require(inside('frame')) as {
  makeBodyFrame(channel: number, b: Buffer): Buffer;
};

interface Frame {
  channel: number;
  size?: number;
  content?: Buffer;
  id?: number;
}

interface Reader {
  maxFrameSize: number;
  frameMax: number;
  channels: ({ buffer: unknown } | undefined)[];
  recvFrame(): false | Frame;
  sendContent(channel: number, body: Buffer): boolean;
}

const frameMax = 131_072;
const patterned = (length: number, seed: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, n) => (n * 31 + (n >> 8) + seed) & 255));

/** The frames that say this, in order; a body's between those of others where `spread`. */
function framesOf(
  messages: readonly { channel: number; length: number; pieceBytes: number }[],
  spread: boolean,
): Buffer[] {
  const each = messages.map(({ channel, length, pieceBytes }, seed) => {
    const body = patterned(length, seed);
    const frames = [defs.encodeProperties(defs.BasicProperties, channel, length, {})];
    for (let from = 0; from < length; from += pieceBytes)
      frames.push(makeBodyFrame(channel, body.subarray(from, from + pieceBytes)));
    return frames;
  });
  if (!spread) return each.flat();
  // By turns, since each has a channel of its own.
  const longest = Math.max(0, ...each.map(({ length }) => length));
  return Array.from({ length: longest }, (_, n) => each.flatMap((frames) => frames[n] ?? [])).flat();
}

/** A socket as far as it is read from. */
class Pushed {
  readableLength = 0;
  #waiting: Buffer[] = [];

  push(bytes: Buffer): boolean {
    this.#waiting.push(bytes);
    this.readableLength += bytes.length;
    return true;
  }

  read(): Buffer | null {
    const all = this.#waiting.splice(0);
    this.readableLength = 0;
    return all.length === 0 ? null : Buffer.concat(all);
  }
}

/** What a connection reads of it, when it comes in pieces of these lengths. */
function read(bytes: Buffer, cuts: readonly number[], isMended: boolean): Frame[] {
  const pieces: Buffer[] = [];
  for (let from = 0, n = 0; from < bytes.length; n++) {
    const cut = Math.min(200_000, Math.max(1, cuts[n % cuts.length] ?? 1));
    pieces.push(Buffer.from(bytes.subarray(from, from + cut)));
    from += cut;
  }
  const connection = new Connection(new PassThrough());
  const reads = new SharedReads();
  const { buffer, callback } = reads.socketOptions.onread;
  const stream = new Pushed();
  Object.assign(connection, { stream, maxFrameSize: frameMax });
  if (isMended) handleLargeBodies({ connection } as unknown as ChannelModel, reads);
  const frames: Frame[] = [];
  for (const piece of pieces) {
    piece.copy(buffer);
    callback.call(stream as unknown as Socket, piece.length);
    // So that what is read once more is seen.
    buffer.fill(0xaa, 0, piece.length);
    for (let frame = connection.recvFrame(); frame; frame = connection.recvFrame()) frames.push(frame);
  }
  return frames;
}

/** By channel: headers, and bodies as they are when put together. */
function said(frames: readonly Frame[]): Map<number, string[]> {
  const by = new Map<number, string[]>();
  const parts = new Map<number, Buffer[]>();
  const left = new Map<number, number>();
  for (const { channel, size, content, id } of frames) {
    const of = by.get(channel) ?? [];
    by.set(channel, of);
    if (content === undefined) {
      of.push(`${id} ${size}`);
      if (size !== undefined) left.set(channel, size);
      continue;
    }
    const pieces = [...(parts.get(channel) ?? []), content];
    const rest = (left.get(channel) ?? 0) - content.length;
    left.set(channel, rest);
    parts.set(channel, rest === 0 ? [] : pieces);
    if (rest === 0) of.push(Buffer.concat(pieces).toString('base64'));
  }
  return by;
}

test('however the bytes come, bodies of any length are what amqplib reads', () => {
  const length = fc.oneof(
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 16_380, max: 70_000 }),
    fc.integer({ min: 131_060, max: 500_000 }),
  );
  const message = fc.record({ length, pieceBytes: fc.constantFrom(131_064, 50_000, 4_088) });
  const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1_000, max: 300_000 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), cuts, fc.boolean(), (all, how, spread) => {
      const messages = all.map((each, n) => ({ ...each, channel: spread ? n + 1 : 1 }));
      const bytes = Buffer.concat([
        ...framesOf(messages, spread),
        defs.encodeMethod(defs.BasicAck, 1, { deliveryTag: 7, multiple: false }),
      ]);
      const coarse = how.some((cut) => cut >= 1_000) ? how : [...how, 5_000];
      const mended = read(bytes, coarse, true);
      expect(said(mended)).toEqual(said(read(bytes, coarse, false)));
      const pieces = mended.filter(({ content }) => content !== undefined);
      expect(pieces.filter(({ content }) => (content?.length ?? 0) > frameMax)).toHaveLength(
        messages.filter(({ length: bodyBytes }) => bodyBytes > frameMax).length,
      );
    }),
    { numRuns: 60 },
  );
});

test('what is returned comes with its head alone, whatever comes beside it', () => {
  const returned = defs.encodeMethod(defs.BasicReturn, 1, {
    replyCode: 312,
    replyText: 'NO_ROUTE',
    exchange: 'a',
    routingKey: 'b',
  });
  const long = { channel: 1, length: 300_000, pieceBytes: 100_000 };
  const short = { ...long, length: 300 };
  const bytes = Buffer.concat([
    ...framesOf([long], false),
    ...[long, short, long].flatMap((message) => [returned, ...framesOf([message], false)]),
    ...framesOf([long], false),
  ]);
  for (const cut of [7, 70_000, 200_000]) {
    const frames = read(bytes, [cut, 5_000], true);
    const sizes = frames.flatMap(({ size }) => size ?? []);
    expect(sizes).toEqual([300_000, 0, 300, 0, 300_000]);
    const lengths = frames.flatMap(({ content }) => content?.length ?? []);
    expect(lengths).toEqual([300_000, 300, 300_000]);
    expect(frames.at(-1)?.content).toEqual(patterned(300_000, 0));
  }
});

test('a body with room around it goes out as any other, more than once, and in several frames', async () => {
  for (const length of [20_000, frameMax - 8, frameMax]) {
    const text = 'ä'.repeat(length / 2);
    const body = roomyBody(text);
    expect(body.toString()).toBe(text);
    const { slot, connection, written } = writing();
    const buffer = slot.buffer;
    connection.sendContent(1, body);
    connection.sendContent(1, body);
    while (slot.buffer !== buffer) await turn();
    await turn();
    const plain = Buffer.from(text);
    const frames: Buffer[] = [];
    for (let from = 0; from < length; from += frameMax - 8)
      frames.push(makeBodyFrame(1, plain.subarray(from, from + frameMax - 8)));
    expect(written().equals(Buffer.concat([...frames, ...frames]))).toBe(true);
    expect(body.toString()).toBe(text);
  }
});

test('a frame that does not end as one, and more content than was said, end the connection as amqplib ends it', () => {
  const [header, ...body] = framesOf([{ channel: 1, length: 200_000, pieceBytes: 100_000 }], false);
  const broken = Buffer.concat([header ?? Buffer.alloc(0), ...body]);
  broken[broken.length - 1] = 0;
  expect(() => read(broken, [70_000], true)).toThrow('Invalid frame');
  const tooMuch = Buffer.concat([
    header ?? Buffer.alloc(0),
    ...body.slice(0, 1),
    makeBodyFrame(1, patterned(110_000, 1)),
  ]);
  expect(() => read(tooMuch, [70_000], true)).toThrow('Too much content');
});

/** What is written to a channel, as one. */
function writing(): { slot: { buffer: unknown }; connection: Reader; written: () => Buffer } {
  const buffer = new PassThrough();
  const chunks: Buffer[] = [];
  buffer.on('data', (chunk: Buffer) => chunks.push(chunk));
  const connection = new Connection(new PassThrough());
  const slot = { buffer: buffer as unknown };
  Object.assign(connection, { frameMax, channels: [undefined, slot] });
  handleLargeBodies({ connection } as unknown as ChannelModel);
  return { slot, connection, written: () => Buffer.concat(chunks) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a large body goes out over several turns, what is written to its channel meanwhile behind it', async () => {
  const { slot, connection, written } = writing();
  const buffer = slot.buffer;
  const write = (bytes: Buffer): unknown => (slot.buffer as PassThrough).write(bytes);
  const [first, second] = [patterned(3_000_000, 1), patterned(400_000, 2)];
  const frames = (body: Buffer): Buffer[] => {
    const all: Buffer[] = [];
    for (let from = 0; from < body.length; from += frameMax - 8)
      all.push(makeBodyFrame(1, body.subarray(from, from + frameMax - 8)));
    return all;
  };
  connection.sendContent(1, first);
  write(Buffer.from('after the first'));
  connection.sendContent(1, second);
  connection.sendContent(1, Buffer.from('a small one'));
  await turn();
  expect(written().length).toBeLessThan(first.length / 2);
  while (slot.buffer !== buffer) await turn();
  write(Buffer.from('the last'));
  await turn();
  const expected = [
    ...frames(first),
    Buffer.from('after the first'),
    ...frames(second),
    makeBodyFrame(1, Buffer.from('a small one')),
    Buffer.from('the last'),
  ];
  expect(written().equals(Buffer.concat(expected))).toBe(true);
});

test('one body behind another, and small ones between them, go out whole and in order however slowly the broker reads', async () => {
  const piece = fc.record({ length: fc.constantFrom(10, 60_000, 140_000, 700_000), turns: fc.nat(6) });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 2, maxLength: 8 }), fc.nat(3), async (all, slowness) => {
      const buffer = new PassThrough();
      const chunks: Buffer[] = [];
      const connection = new Connection(new PassThrough());
      const slot = { buffer: buffer as unknown };
      Object.assign(connection, { frameMax, channels: [undefined, slot] });
      handleLargeBodies({ connection } as unknown as ChannelModel);
      let turns = 0;
      const step = async (): Promise<void> => {
        await turn();
        if (turns++ % (slowness + 1) === 0) chunks.push((buffer.read() as Buffer | null) ?? Buffer.alloc(0));
      };
      const expected: Buffer[] = [];
      for (const [seed, { length, turns: pause }] of all.entries()) {
        const body = patterned(length, seed);
        connection.sendContent(1, body);
        for (let from = 0; from < length; from += frameMax - 8)
          expected.push(makeBodyFrame(1, body.subarray(from, from + frameMax - 8)));
        for (let n = 0; n < pause; n++) await step();
      }
      const wanted = Buffer.concat(expected);
      const bytes = (): number => chunks.reduce((sum, each) => sum + each.length, 0);
      while (turns < 2_000 && (bytes() < wanted.length || slot.buffer !== buffer)) await step();
      expect(slot.buffer).toBe(buffer);
      expect(Buffer.concat(chunks).equals(wanted)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('a channel that ends meanwhile gets what was to be said, and no more of the body', async () => {
  const { slot, connection, written } = writing();
  connection.sendContent(1, patterned(3_000_000, 1));
  const paced = slot.buffer as PassThrough;
  paced.write(Buffer.from('close-ok'));
  paced.end();
  for (let n = 0; n < 20; n++) await turn();
  expect(written().length).toBeLessThan(1_500_000);
  expect(written().subarray(-8).toString()).toBe('close-ok');
});
