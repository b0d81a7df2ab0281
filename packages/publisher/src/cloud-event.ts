import { createHash } from 'node:crypto';
import type { CloudEvent } from '@evenkeel/protocol/wire';
import { maxKeyBytes } from '@evenkeel/protocol/wire';
import { PublisherError } from './errors.js';
import type { EventOptions } from './message.js';

/**
 * A CloudEvent to be published.
 * @example
 * const event: CloudEventInput = { id: '7', source: '/shop', type: 'order.created', data: { number: 7 } };
 * const { payload, options } = cloudEvent(event);
 */
export type CloudEventInput = {
  readonly [Name in keyof CloudEvent as Name extends 'specversion' ? never : Name]: CloudEvent[Name];
} & { readonly specversion?: '1.0' };

const required = ['id', 'source', 'type'] as const;
const attributeName = /^[a-z0-9]{1,20}$/;

/**
 * How a CloudEvent is published: `binary` has its attributes in headers `cloudEvents:…` and its data as the body, `structured` is one body
 * of `application/cloudevents+json`. Its `source` and `id` together are the identity of the message, so a repeat reaches nobody twice.
 * @example
 * const { payload, options } = cloudEvent({ id: '7', source: '/shop', type: 'shop.changed', data: { open: true } });
 * await publisher.toUser('alice', 'shop.changed', payload, options);
 * @throws PublisherError `bad-option`
 */
export function cloudEvent(
  event: CloudEventInput,
  mode: 'binary' | 'structured' = 'binary',
): { payload: unknown; options: EventOptions } {
  const { data, datacontenttype, specversion = '1.0', ...attributes } = event;
  if (specversion !== '1.0') throw bad('specversion', 'must be 1.0');
  for (const name of required)
    if (typeof attributes[name] !== 'string' || attributes[name] === '') throw bad(name, 'must be a string');
  for (const [name, value] of Object.entries(attributes)) {
    if (!attributeName.test(name)) throw bad(name, 'is no name: use a-z and 0-9, at most 20');
    if (!['string', 'number', 'boolean', 'undefined'].includes(typeof value))
      throw bad(name, 'must be a string, a number or a boolean');
  }
  const atMs = event.time === undefined ? Number.NaN : Date.parse(event.time);
  const common = { id: identityOf(event), ...(!Number.isNaN(atMs) && { headers: { 'evenkeel-at': atMs } }) };
  const bytes = bytesOf(data);
  if (mode === 'structured') {
    const body = bytes === undefined ? { data } : { data_base64: bytes.toString('base64') };
    const payload = { specversion, ...attributes, datacontenttype, ...body };
    return { payload, options: { ...common, contentType: 'application/cloudevents+json; charset=utf-8' } };
  }
  const given = Object.entries({ specversion, ...attributes }).filter(([, value]) => value !== undefined);
  const headers = Object.fromEntries(given.map(([name, value]) => [`cloudEvents:${name}`, value]));
  return {
    payload: data === undefined ? null : data,
    options: {
      ...common,
      headers: { ...common.headers, ...headers },
      ...(datacontenttype !== undefined && { contentType: datacontenttype }),
    },
  };
}

/** One id: those of CloudEvents are unique in their source only. */
function identityOf({ source, id }: CloudEventInput): string {
  const text = `${source} ${id}`;
  return Buffer.byteLength(text) <= maxKeyBytes
    ? text
    : createHash('sha256').update(text).digest('base64url');
}

function bytesOf(data: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return data instanceof ArrayBuffer ? Buffer.from(data) : undefined;
}

const bad = (name: string, rule: string): PublisherError =>
  new PublisherError('bad-option', `the attribute ${name} of the CloudEvent ${rule}`);
