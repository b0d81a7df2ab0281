/** AMQP's frames as bytes, for what amqplib does not do as needed. Source: AMQP 0-9-1, 4.2.3. */

export const frameType = { method: 1, header: 2, body: 3 } as const;

/** The last byte of each. */
export const frameEnd = 0xce;

/** Where a frame's parts begin, bytes from its start; of a header also the length of the body, its flags and its properties. */
export const frameAt = {
  type: 0,
  channel: 1,
  size: 3,
  payload: 7,
  bodySize: 11,
  flags: 19,
  properties: 21,
} as const;

/** What is no payload. */
export const frameOverhead = frameAt.payload + 1;

/**
 * Which bit of a header's flags tells that a property follows; they follow in this order, from the highest bit down.
 * Source: AMQP 0-9-1, 4.2.6.1.
 */
export const flagOf = {
  contentType: 1 << 15,
  contentEncoding: 1 << 14,
  headers: 1 << 13,
  deliveryMode: 1 << 12,
  priority: 1 << 11,
  correlationId: 1 << 10,
  replyTo: 1 << 9,
  expiration: 1 << 8,
  messageId: 1 << 7,
  timestamp: 1 << 6,
  type: 1 << 5,
  userId: 1 << 4,
  appId: 1 << 3,
} as const;
