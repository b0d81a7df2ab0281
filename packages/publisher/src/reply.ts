import { ServiceError } from './errors.js';
import { bodyOf, contentTypeOf } from './message.js';

/** What is sent back for a request, for every repeat of it. */
export interface Reply {
  readonly body: Buffer;
  readonly contentType: string;
  /** It is an error with this code. */
  readonly errorCode?: string;
  /** So many parts were sent before it. */
  readonly parts?: number;
}

/** Longest reply that is handed to the broker, bytes: what RabbitMQ 4 takes. Clients get less: see `too-large` in PROTOCOL.md. */
const maxReplyBytes = 16_777_216;
/** Longest code of a {@link ServiceError}, bytes: as much as a routing key has. */
const maxCodeBytes = 255;

/** What clients are told of failures that are not meant for them. */
export const serviceFailed: Reply = errorReply('service-error', 'the service failed');

/** What a handler has returned, as it travels. @throws PublisherError `bad-body`: it cannot. */
export function replyOf(value: unknown): Reply {
  const contentType = contentTypeOf(value);
  // A handler that returns nothing answers null.
  const body = bodyOf(value === undefined ? null : value, contentType);
  if (body.length <= maxReplyBytes) return { body, contentType };
  return errorReply('too-large', `the reply has ${body.length} bytes and may have ${maxReplyBytes}`);
}

/** What the client is told of what a handler has thrown; undefined: it is not meant for the client. */
export function errorReplyOf(error: unknown): Reply | undefined {
  if (!(error instanceof ServiceError)) return undefined;
  const { code, message } = error;
  const isCode = typeof code === 'string' && code !== '' && Buffer.byteLength(code) <= maxCodeBytes;
  return isCode ? errorReply(code, String(message)) : undefined;
}

function errorReply(errorCode: string, text: string): Reply {
  return { body: Buffer.from(text), contentType: 'text/plain', errorCode };
}
