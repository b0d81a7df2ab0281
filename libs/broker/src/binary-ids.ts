import { isUtf8 } from 'node:buffer';
import type { ChannelModel } from 'amqplib';
import { flagOf, frameAt, frameOverhead, frameType } from './frame.js';

/** What stands before the base64url of an id that is no text. */
export const binaryIdPrefix = 'b64:';

const replacement = '\uFFFD';

/** The part of amqplib's connection that reads frames; its types do not name it. */
interface Receiver {
  /** What was received and is not read yet. */
  rest: Buffer;
  recvFrame(): false | { fields?: Ids };
}

interface Ids {
  messageId?: string;
  correlationId?: string;
}

const isReceiver = (connection: object): connection is Receiver =>
  'recvFrame' in connection && 'rest' in connection;

/**
 * AMQP has ids as bytes, and amqplib reads them as UTF-8: of a counter or a hash nothing is left but replacement characters, the
 * same for many. Where an id is no UTF-8 it becomes {@link binaryIdPrefix} and its base64url.
 */
export function keepBinaryIds({ connection }: ChannelModel): void {
  if (!isReceiver(connection)) return;
  const receive = connection.recvFrame;
  connection.recvFrame = function kept(this: Receiver) {
    // Where it reads more it calls this again, and the ids are mended there.
    const { rest } = this;
    const frame = receive.call(this);
    const fields = frame ? frame.fields : undefined;
    if (fields && (isMangled(fields.messageId) || isMangled(fields.correlationId))) mend(fields, rest);
    return frame;
  };
}

const isMangled = (id: string | undefined): boolean => id?.includes(replacement) === true;

function mend(fields: Ids, rest: Buffer): void {
  if (rest[0] !== frameType.header || rest.length < rest.readUInt32BE(frameAt.size) + frameOverhead) return;
  const { messageId, correlationId } = idsOf(rest);
  if (messageId) fields.messageId = idText(messageId);
  if (correlationId) fields.correlationId = idText(correlationId);
}

/** What an id is read as. */
export function idText(bytes: Buffer, start = 0, end = bytes.length): string {
  const text = bytes.toString('utf8', start, end);
  if (!isMangled(text)) return text;
  const id = bytes.subarray(start, end);
  return isUtf8(id) ? text : `${binaryIdPrefix}${id.toString('base64url')}`;
}

function idsOf(frame: Buffer): { correlationId: Buffer | undefined; messageId: Buffer | undefined } {
  const flags = frame.readUInt16BE(frameAt.flags);
  let offset: number = frameAt.properties;
  const has = (flag: number) => (flags & flag) !== 0;
  const shortText = (flag: number) => {
    if (!has(flag)) return undefined;
    const start = offset + 1;
    offset = start + frame.readUInt8(offset);
    return frame.subarray(start, offset);
  };
  shortText(flagOf.contentType);
  shortText(flagOf.contentEncoding);
  if (has(flagOf.headers)) offset += 4 + frame.readUInt32BE(offset);
  if (has(flagOf.deliveryMode)) offset += 1;
  if (has(flagOf.priority)) offset += 1;
  const correlationId = shortText(flagOf.correlationId);
  shortText(flagOf.replyTo);
  shortText(flagOf.expiration);
  return { correlationId, messageId: shortText(flagOf.messageId) };
}
