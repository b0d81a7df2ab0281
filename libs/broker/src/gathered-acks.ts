import { monotonicNow } from '@evenkeel/pace';
import type { Channel } from 'amqplib';
import { frameAt, frameEnd, frameOverhead, frameType } from './frame.js';

/** Bytes of `basic.ack`: 4 of the method, 8 of the tag, 1 of flags; and its frame. */
const payloadBytes = 13;
const frameBytes = payloadBytes + frameOverhead;
/** Gathered at most, then they go. */
const maxGathered = 512;
/** Shortest time between two pieces, ms: nobody waits for an acknowledgement but who publishes, and each piece costs a system call or two. */
const gatherMs = 4;
const at = {
  ...frameAt,
  tag: frameAt.payload + 4,
  flags: frameAt.payload + 12,
  end: frameBytes - 1,
} as const;
/** Class 60, method 80. */
const ackMethod = (60 << 16) | 80;

/** The part of amqplib's channel that has its number and sends; its types do not name it. */
interface Sender {
  readonly ch: number;
  sendImmediately(method: number, fields: object): unknown;
}

const isSender = (channel: object): channel is Sender => 'ch' in channel && 'sendImmediately' in channel;

/**
 * Acknowledgements of all channels of a connection, written together, those of one turn of the event loop always and under load those of
 * `gatherMs`: amqplib takes each through three streams, which costs more than all else that is done for it. They may overtake what was sent before them, and nothing
 * overtakes them on their channel: see {@link GatheredAcks.of}.
 */
export class GatheredAcks {
  readonly #write: ((bytes: Buffer) => void) | undefined;
  readonly #frames = Buffer.allocUnsafe(frameBytes * maxGathered);
  #bytes = 0;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #flushedAtMs = 0;

  /** `write` puts bytes on the connection, or drops them if that has gone; undefined: amqplib sends one by one. */
  constructor(write: ((bytes: Buffer) => void) | undefined) {
    this.#write = write;
  }

  /** What acknowledges a tag of `channel`, whose other frames wait for it from now on. */
  of(channel: Channel): (tag: number) => void {
    if (this.#write === undefined || !isSender(channel)) return (tag) => ackPlainly(channel, tag);
    const send = channel.sendImmediately;
    channel.sendImmediately = (method, fields) => {
      this.flush();
      return send.call(channel, method, fields);
    };
    const { ch } = channel;
    return (tag) => this.#add(ch, tag);
  }

  /** To be called before the connection is closed. */
  flush(): void {
    if (this.#bytes === 0) return;
    clearImmediate(this.#immediate);
    clearTimeout(this.#timer);
    this.#flushedAtMs = monotonicNow();
    // A copy, since the socket may keep what it is given; mostly a small one, from Node's pool.
    const frames = Buffer.from(this.#frames.subarray(0, this.#bytes));
    this.#bytes = 0;
    this.#write?.(frames);
  }

  #add(channel: number, tag: number): void {
    const frames = this.#frames;
    const from = this.#bytes;
    frames.writeUInt8(frameType.method, from + at.type);
    frames.writeUInt16BE(channel, from + at.channel);
    frames.writeUInt32BE(payloadBytes, from + at.size);
    frames.writeUInt32BE(ackMethod, from + at.payload);
    frames.writeUInt32BE(Math.floor(tag / 0x1_0000_0000), from + at.tag);
    frames.writeUInt32BE(tag >>> 0, from + at.tag + 4);
    frames.writeUInt8(0, from + at.flags);
    frames.writeUInt8(frameEnd, from + at.end);
    this.#bytes += frameBytes;
    if (from === 0) this.#schedule();
    else if (this.#bytes === frames.length) this.flush();
  }

  #schedule(): void {
    const waitMs = this.#flushedAtMs + gatherMs - monotonicNow();
    if (waitMs > 0) this.#timer = setTimeout(() => this.flush(), waitMs);
    else this.#immediate = setImmediate(() => this.flush());
  }
}

/** As amqplib does, which looks at nothing but the tag. */
const ackPlainly = (channel: Channel, deliveryTag: number): void =>
  channel.ack({ fields: { deliveryTag } } as Parameters<Channel['ack']>[0]);
