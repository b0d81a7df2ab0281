import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Channel } from 'amqplib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatheredAcks } from './gathered-acks.js';

interface Encoder {
  readonly BasicAck: number;
  readonly BasicNack: number;
  encodeMethod(method: number, channel: number, fields: object): Buffer;
}
const require = createRequire(import.meta.url);
/** Not among what the package exports. */
const amqplib = require(join(dirname(require.resolve('amqplib')), 'lib/defs.js')) as Encoder;

function connection() {
  const written: Buffer[] = [];
  const acks = new GatheredAcks((bytes) => written.push(bytes));
  const channel = (ch: number) => {
    const made = {
      ch,
      sendImmediately: (method: number, fields: object) =>
        written.push(amqplib.encodeMethod(method, ch, fields)),
    };
    return { made, ack: acks.of(made as unknown as Channel) };
  };
  return { acks, channel, written };
}

const plain = (channel: number, deliveryTag: number) =>
  amqplib.encodeMethod(amqplib.BasicAck, channel, { deliveryTag, multiple: false });

const turn = () => vi.advanceTimersByTimeAsync(0);

describe('acknowledgements of a connection', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    // A quiet moment has passed.
    vi.advanceTimersByTime(100);
  });
  afterEach(() => void vi.useRealTimers());

  it('of all channels go in one piece, as amqplib would write them', async () => {
    const { channel, written } = connection();
    const tags = [
      [1, 1],
      [9, 4_294_967_295],
      [1, 4_294_967_297],
      [65_535, Number.MAX_SAFE_INTEGER],
    ] as const;
    for (const [ch, tag] of tags) channel(ch).ack(tag);
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual([Buffer.concat(tags.map(([ch, tag]) => plain(ch, tag)))]);
  });

  it('go before whatever else their channel sends', async () => {
    const { channel, written } = connection();
    const { ack, made } = channel(3);
    ack(1);
    made.sendImmediately(amqplib.BasicNack, { deliveryTag: 2, multiple: false, requeue: true });
    ack(3);
    await vi.advanceTimersByTimeAsync(4);
    const nack = amqplib.encodeMethod(amqplib.BasicNack, 3, {
      deliveryTag: 2,
      multiple: false,
      requeue: true,
    });
    expect(written).toEqual([plain(3, 1), nack, plain(3, 3)]);
  });

  it('of more than are gathered all go, once', async () => {
    const { channel, written, acks } = connection();
    const { ack } = channel(2);
    const tags = Array.from({ length: 1_500 }, (_, n) => n + 1);
    for (const tag of tags) ack(tag);
    acks.flush();
    await vi.advanceTimersByTimeAsync(4);
    expect(Buffer.concat(written)).toEqual(Buffer.concat(tags.map((tag) => plain(2, tag))));
  });

  it('go every 4 ms under load, and at once after a quiet moment', async () => {
    const { channel, written } = connection();
    const { ack } = channel(2);
    const piecesAt: number[] = [];
    for (let ms = 0; ms < 40; ms += 1) {
      ack(ms + 1);
      const before = written.length;
      await vi.advanceTimersByTimeAsync(1);
      if (written.length > before) piecesAt.push(ms);
    }
    expect(piecesAt.length).toBeGreaterThanOrEqual(9);
    expect(piecesAt.length).toBeLessThanOrEqual(11);
    await vi.advanceTimersByTimeAsync(4);
    const before = written.length;
    ack(41);
    await turn();
    expect(written.length).toBe(before + 1);
  });
});
