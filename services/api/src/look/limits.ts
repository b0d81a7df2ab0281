/** Their bytes, about. */
export const maxPageBytes = 16_777_216;
/** Of a message that is longer the answer says that alone, bytes. */
export const maxMessageBytes = 4_194_304;
/** What this process has in memory of each namespace; what is older is read from RabbitMQ. */
export const tailBounds = { maxRecords: 10_000, maxBytes: 16_777_216 } as const;
