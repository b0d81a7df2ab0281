import type { ChannelModel } from 'amqplib';
import { Fields, isMangled } from './fields.js';
import { flagOf, frameAt, frameOverhead, frameType } from './frame.js';

/** The part of amqplib's connection that reads frames; its types do not name it. */
interface Receiver {
  /** What was received and is not read yet. */
  rest: Buffer;
  recvFrame(): false | { fields?: Ids };
}

interface Ids {
  messageId?: string | undefined;
  correlationId?: string | undefined;
}

const isReceiver = (connection: object): connection is Receiver =>
  'recvFrame' in connection && 'rest' in connection;

/**
 * AMQP has ids as bytes, and amqplib reads them as UTF-8: of a counter or a hash nothing is left but replacement characters, the
 * same for many. Where an id is no UTF-8 it becomes `b64:` and its base64url.
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

function mend(fields: Ids, rest: Buffer): void {
  if (rest[0] !== frameType.header || rest.length < rest.readUInt32BE(frameAt.size) + frameOverhead) return;
  const { messageId, correlationId } = idsOf(rest);
  if (messageId) fields.messageId = messageId;
  if (correlationId) fields.correlationId = correlationId;
}

/** Undefined: it has none. */
function idsOf(frame: Buffer): Ids {
  const flags = frame.readUInt16BE(frameAt.flags);
  const reader = new Fields(frame, frameAt.properties);
  const has = (flag: number) => (flags & flag) !== 0;
  if (has(flagOf.contentType)) reader.next();
  if (has(flagOf.contentEncoding)) reader.next();
  if (has(flagOf.headers)) reader.skipTable();
  if (has(flagOf.deliveryMode)) reader.at += 1;
  if (has(flagOf.priority)) reader.at += 1;
  const correlationId = has(flagOf.correlationId) ? reader.nextId() : undefined;
  if (has(flagOf.replyTo)) reader.next();
  if (has(flagOf.expiration)) reader.next();
  return { correlationId, messageId: has(flagOf.messageId) ? reader.nextId() : undefined };
}
