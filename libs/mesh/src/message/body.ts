import { createHash } from 'node:crypto';
import type { Delivery } from '@evenkeel/broker';
import { contentFields } from './content.js';
import { headersField } from './headers.js';

/**
 * The part of a frame that carries an AMQP message's body and headers, as JSON text beginning with a comma. Undefined: a frame with
 * it would have more than `maxBytes`.
 */
export function bodyFields(
  delivery: Pick<Delivery, 'body' | 'properties'>,
  maxBytes: number,
): string | undefined {
  const { properties } = delivery;
  const content = contentFields(delivery.body, properties, maxBytes);
  return content === undefined ? undefined : `${content}${headersField(properties.headers)}`;
}

/** Identity of a message: the publisher's, or `~` + a digest of what it is made of. */
export function messageIdentity(delivery: Pick<Delivery, 'key' | 'body' | 'properties'>): string {
  const { messageId, timestamp } = delivery.properties;
  if (messageId) return messageId;
  const digest = createHash('sha1')
    .update(delivery.key)
    .update(`\0${timestamp ?? ''}\0`)
    .update(delivery.body);
  return `~${digest.digest('base64url')}`;
}
