import type { ChannelModel } from 'amqplib';
import { frameAt, frameEnd, frameOverhead, frameType } from './frame.js';
import { PacedBuffer, type Slot } from './paced-buffer.js';
import type { SharedReads } from './socket.js';

/** Bodies up to this length, bytes, are left to amqplib: what it copies of them is not worth the trouble. */
export const longestPlain = 16_384;

/** The part of amqplib's connection that reads and writes frames; its types do not name it. */
interface Connection {
  readonly stream: { read(): Buffer | null };
  readonly maxFrameSize: number;
  readonly frameMax: number;
  readonly channels: readonly (Slot | undefined)[];
  /** What was received and is not read yet. */
  rest: Buffer;
  /** Whether the broker, and this side, are alive is judged by them. */
  recvSinceLastCheck: boolean;
  sentSinceLastCheck: boolean;
  recvFrame(): false | Frame;
  sendContent(channel: number, body: Buffer): boolean;
}

interface Frame {
  readonly channel: number;
  /** Of a method: which. */
  readonly id?: number;
  /** Of a header: the length of the body that follows. */
  size?: number;
  readonly content?: Buffer;
}

/** The frame that has come in part. */
interface Open {
  readonly channel: number;
  readonly body: Body;
  /** Of its payload and its end, bytes that have not. */
  left: number;
}

interface Body {
  /** Undefined: nobody wants it. */
  readonly bytes: Buffer | undefined;
  readonly length: number;
  filled: number;
}

/** `basic.return`: what comes back because no queue has taken it. */
const returnMethod = 0x3c_0032;

const isConnection = (connection: object): connection is Connection =>
  ['stream', 'frameMax', 'channels', 'rest', 'recvFrame', 'sendContent'].every((name) => name in connection);

/**
 * amqplib copies a body of many frames three times, the last time as a whole, and whatever else comes on that connection waits
 * meanwhile. Here each read is put where it belongs, and amqplib gets the body as if it had been one frame. What is returned
 * comes without its body: whoever published it has that. On the way out a few frames are written in each turn of the event loop.
 */
export function handleLargeBodies({ connection }: ChannelModel, reads?: SharedReads): void {
  if (!isConnection(connection)) return;
  receiveInPlace(connection, reads);
  connection.sendContent = sendInPieces(connection.sendContent);
}

function receiveInPlace(connection: Connection, reads: SharedReads | undefined): void {
  const receive = connection.recvFrame;
  /** By their channels: another's frames may come between. */
  const bodies = new Map<number, Body>();
  /** Channels on which the next header is of a message that is returned. */
  const returning = new Set<number>();
  let begun: Frame | undefined;
  let open: Open | undefined;

  const begin = (frame: Frame): void => {
    // amqplib calls itself where it reads more, and the same header passes here again.
    if (frame.id === returnMethod) returning.add(frame.channel);
    const { channel, size: length } = frame;
    if (length === undefined || frame === begun) return;
    const isReturned = returning.delete(channel);
    if (length <= longestPlain) return;
    begun = frame;
    bodies.set(channel, {
      bytes: isReturned ? undefined : Buffer.allocUnsafeSlow(length),
      length,
      filled: 0,
    });
    if (isReturned) frame.size = 0;
  };

  const enter = ({ rest, maxFrameSize }: Connection): Open | undefined => {
    if (bodies.size === 0 || rest.length < frameAt.payload || rest[frameAt.type] !== frameType.body)
      return undefined;
    const channel = rest.readUInt16BE(frameAt.channel);
    const body = bodies.get(channel);
    const size = rest.readUInt32BE(frameAt.size);
    // What is too long is refused by amqplib.
    if (body === undefined || (maxFrameSize > 0 && size > maxFrameSize)) return undefined;
    if (size > body.length - body.filled) throw new Error('Too much content sent');
    return { channel, body, left: size + 1 };
  };

  const fill = (into: Open, bytes: Buffer, from: number): number => {
    const { body } = into;
    const length = Math.min(bytes.length - from, into.left - 1);
    body.bytes?.set(bytes.subarray(from, from + length), body.filled);
    body.filled += length;
    into.left -= length;
    return length;
  };

  if (reads !== undefined)
    reads.take = (read) => {
      if (open === undefined || connection.rest.length > 0) return 0;
      connection.recvSinceLastCheck = true;
      for (let from = 0; ; ) {
        from += fill(open, read, from);
        const { channel, body, left }: Open = open;
        // Where the body goes on in a frame whose head has come too.
        const head = from + 1;
        const size = read.length >= head + frameAt.payload ? read.readUInt32BE(head + frameAt.size) : 0;
        const goesOn =
          left === 1 &&
          size > 0 &&
          size <= body.length - body.filled &&
          read[from] === frameEnd &&
          read[head] === frameType.body &&
          read.readUInt16BE(head + frameAt.channel) === channel;
        if (!goesOn) return from;
        open = { channel, body, left: size + 1 };
        from = head + frameAt.payload;
      }
    };

  connection.recvFrame = function inPlace(this: Connection) {
    for (;;) {
      if (open === undefined) {
        open = enter(this);
        if (open === undefined) {
          const frame = receive.call(this);
          if (frame) begin(frame);
          return frame;
        }
        this.rest = this.rest.subarray(frameAt.payload);
      }
      if (this.rest.length === 0) {
        const read = this.stream.read();
        if (read === null) return false;
        this.recvSinceLastCheck = true;
        this.rest = read;
      }
      const { channel, body } = open;
      this.rest = this.rest.subarray(fill(open, this.rest, 0));
      if (open.left > 1 || this.rest.length === 0) continue;
      if (this.rest[0] !== frameEnd) throw new Error('Invalid frame');
      this.rest = this.rest.subarray(1);
      open = undefined;
      if (body.filled < body.length) continue;
      bodies.delete(channel);
      if (body.bytes !== undefined) return { channel, content: body.bytes };
    }
  };
}

/** Through {@link PacedBuffer}. amqplib would write the whole body at once. */
function sendInPieces(send: Connection['sendContent']): Connection['sendContent'] {
  return function inPieces(this: Connection, channel, body) {
    // amqplib has null where a channel was.
    const slot = this.channels[channel] ?? undefined;
    const longest = this.frameMax - frameOverhead;
    if (!Buffer.isBuffer(body) || slot === undefined || longest <= 0) return send.call(this, channel, body);
    const isPaced = slot.buffer instanceof PacedBuffer;
    if (!isPaced && body.length <= longestPlain) return send.call(this, channel, body);
    this.sentSinceLastCheck = true;
    return PacedBuffer.in(slot).writeBody({ channel, body, longest });
  };
}
