import { frameAt, frameEnd, frameOverhead, frameType } from './frame.js';

const roomy = new WeakSet<Buffer>();

/** The text as UTF-8, with room around it for what makes it a frame: it goes out without being copied. */
export function roomyBody(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const body = Buffer.allocUnsafeSlow(length + frameOverhead).subarray(
    frameAt.payload,
    frameAt.payload + length,
  );
  body.write(text);
  roomy.add(body);
  return body;
}

/** One frame with this payload, a part of `body` or all of it. */
export function bodyFrame(channel: number, body: Buffer, payload: Buffer): Buffer {
  const length = payload.length + frameOverhead;
  const isThere = payload.length === body.length && roomy.has(body);
  const frame = isThere
    ? Buffer.from(body.buffer, body.byteOffset - frameAt.payload, length)
    : Buffer.allocUnsafe(length);
  if (!isThere) payload.copy(frame, frameAt.payload);
  frame[frameAt.type] = frameType.body;
  frame.writeUInt16BE(channel, frameAt.channel);
  frame.writeUInt32BE(payload.length, frameAt.size);
  frame[frame.length - 1] = frameEnd;
  return frame;
}
