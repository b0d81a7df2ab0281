import type { ChannelModel } from 'amqplib';
import { describe, expect, it } from 'vitest';
import { keepBinaryIds } from './binary-ids.js';

interface Properties {
  contentType?: string;
  headers?: Buffer;
  correlationId?: Buffer;
  messageId?: Buffer;
}

const short = (bytes: Buffer | string): Buffer => {
  const value = Buffer.from(bytes as string);
  return Buffer.concat([Buffer.from([value.length]), value]);
};

/** A header frame as RabbitMQ writes it, with the delivery mode and priority that most messages have. */
function headerFrame({ contentType, headers, correlationId, messageId }: Properties): Buffer {
  const flags =
    (contentType ? 1 << 15 : 0) |
    (headers ? 1 << 13 : 0) |
    (3 << 11) |
    (correlationId ? 1 << 10 : 0) |
    (messageId ? 1 << 7 : 0);
  const table = headers && Buffer.concat([Buffer.from([0, 0, 0, headers.length]), headers]);
  const parts = [contentType && short(contentType), table, Buffer.from([2, 0])];
  parts.push(correlationId && short(correlationId), messageId && short(messageId));
  const head = Buffer.alloc(14);
  head.writeUInt16BE(60, 0);
  head.writeUInt16BE(flags, 12);
  const payload = Buffer.concat([head, ...parts.filter((part) => typeof part === 'object')]);
  const frame = Buffer.concat([Buffer.alloc(7), payload, Buffer.from([0xce])]);
  frame[0] = 2;
  frame.writeUInt32BE(payload.length, 3);
  return frame;
}

/** What is read of a frame with these properties, when amqplib has read them as UTF-8. */
function read(properties: Properties): unknown {
  const fields = {
    messageId: properties.messageId?.toString('utf8'),
    correlationId: properties.correlationId?.toString('utf8'),
  };
  const connection = { rest: headerFrame(properties), recvFrame: () => ({ fields }) };
  keepBinaryIds({ connection } as unknown as ChannelModel);
  connection.recvFrame();
  return fields;
}

const bytes = (...each: number[]): Buffer => Buffer.from(each);

describe('an id of a message', () => {
  it('that is no UTF-8 stays another than every other', () => {
    const ids = [128, 129, 130, 255].map((n) => read({ messageId: bytes(0, 0, 0, n) }));
    expect(ids[0]).toMatchObject({ messageId: 'b64:AAAAgA' });
    expect(new Set(ids.map((id) => JSON.stringify(id))).size).toBe(4);
  });

  it('is found behind whatever stands before it', () => {
    const properties = { contentType: 'a/b', headers: bytes(1, 120, 116, 1), correlationId: bytes(0xc3) };
    expect(read({ ...properties, messageId: bytes(0xfe) })).toEqual({
      correlationId: 'b64:ww',
      messageId: 'b64:_g',
    });
    expect(read(properties)).toEqual({ correlationId: 'b64:ww', messageId: undefined });
  });

  it('that is text is left as it is, with replacement characters of its own too', () => {
    expect(read({ messageId: Buffer.from('ü\uFFFD'), correlationId: bytes(0xff) })).toEqual({
      messageId: 'ü\uFFFD',
      correlationId: 'b64:_w',
    });
    expect(read({ messageId: Buffer.from('plain') })).toMatchObject({ messageId: 'plain' });
  });
});
