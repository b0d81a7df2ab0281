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
