import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import type { Delivery, DeliveryProperties } from '@evenkeel/broker';
import { jsonOf } from '../same.js';

type Encode = (bytes: Buffer) => Buffer;
const plain: Encode = (bytes) => bytes;
const encodings: ReadonlyMap<string, Encode> = new Map([
  ['text', plain],
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['raw', deflateRawSync],
  ['br', brotliCompressSync],
]);

/** Names of AMQP properties that are text on the wire, and of those that are numbers. */
const texts = [
  'messageId',
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'userId',
  'type',
  'appId',
  'expiration',
] as const;
const numbers = ['timestamp', 'deliveryMode', 'priority'] as const;
/** Of a text on the wire, bytes. */
const longest = 255;

/**
 * A message as its broker hands it over, of JSON: `exchange`, `key`, `properties` as amqplib has them, and `body`: `text`, or what one of
 * `gzip`, `deflate`, `raw` and `br` is to be made of, or `base64`, `hex` or `latin1`. What no broker could hand over is left out. Undefined:
 * it is no such JSON.
 */
export function messageOf(input: Buffer, { exchange = '', key = '' } = {}): Delivery | undefined {
  const value = recordOf(jsonOf(input.toString('utf8'))?.value);
  if (value === undefined) return undefined;
  const settle = () => {};
  return {
    exchange: typeof value.exchange === 'string' ? value.exchange : exchange,
    key: typeof value.key === 'string' ? short(value.key) : key,
    redelivered: value.redelivered === true,
    properties: propertiesOf(recordOf(value.properties) ?? {}),
    body: bodyOf(value.body),
    isSettled: false,
    isVoid: false,
    forgetContent: settle,
    ack: settle,
    requeue: settle,
    drop: settle,
  };
}

function propertiesOf(given: Record<string, unknown>): DeliveryProperties {
  const properties: Record<string, unknown> = { headers: recordOf(given.headers) ?? {} };
  for (const name of texts) if (typeof given[name] === 'string') properties[name] = short(given[name]);
  for (const name of numbers) if (typeof given[name] === 'number') properties[name] = given[name];
  return properties as unknown as DeliveryProperties;
}

function bodyOf(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  for (const [name, value] of Object.entries(recordOf(body) ?? {})) {
    if (typeof value !== 'string') continue;
    const encode = encodings.get(name);
    if (encode !== undefined) return encode(Buffer.from(value));
    if (name === 'base64' || name === 'hex' || name === 'latin1' || name === 'utf16le')
      return Buffer.from(value, name);
  }
  return Buffer.alloc(0);
}

/** As it comes out of 255 bytes. */
const short = (text: string): string => Buffer.from(text).subarray(0, longest).toString('utf8');

const recordOf = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;

/** Words of the envelope itself. */
export const envelopeWords: readonly string[] = [
  ...[
    'exchange',
    'key',
    'properties',
    'headers',
    'body',
    'redelivered',
    ...encodings.keys(),
    'base64',
    'hex',
    'latin1',
  ],
  ...[
    'utf16le',
    ...texts,
    ...numbers,
    'x-death',
    'CC',
    'mesh.events',
    'mesh.replies',
    'mesh.control',
    'mesh.stats',
    'mesh.manage',
  ],
];
