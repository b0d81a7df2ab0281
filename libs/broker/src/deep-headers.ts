import type { ChannelModel } from 'amqplib';
import { frameAt, frameType } from './frame.js';

/** What a message has in place of headers that cannot be read. */
export const unreadableHeaders: Readonly<Record<string, unknown>> = Object.freeze({});

/** The part of amqplib's connection that reads frames; its types do not name it. */
interface Receiver {
  /** What was received and is not read yet. */
  rest: Buffer;
  recvFrame(): unknown;
}

const isReceiver = (connection: object): connection is Receiver =>
  'recvFrame' in connection && 'rest' in connection;

/**
 * amqplib reads headers by recursion. Nested some thousand levels deep, for which 15 KB are enough, they overflow the stack,
 * and amqplib takes that for the end of the connection. The broker would then deliver the same message again, to the next
 * connection. So whoever may publish could keep everybody who consumes off the broker. Here such a message arrives, with
 * {@link unreadableHeaders}.
 */
export function surviveDeepHeaders({ connection }: ChannelModel): void {
  if (!isReceiver(connection)) return;
  const receive = connection.recvFrame;
  connection.recvFrame = function guarded(this: Receiver) {
    // Where it reads more it calls this again: what it decodes always begins here.
    const { rest } = this;
    try {
      return receive.call(this);
    } catch (error) {
      if (!(error instanceof RangeError) || rest[0] !== frameType.header) throw error;
      return {
        id: rest.readUInt16BE(frameAt.payload),
        channel: rest.readUInt16BE(frameAt.channel),
        size: Number(rest.readBigUInt64BE(frameAt.bodySize)),
        fields: { headers: unreadableHeaders },
      };
    }
  };
}
