import { isJsonType, isTopic, isTopicPattern, kindOf, maxKeyBytes } from '@evenkeel/protocol/wire';
import { PublisherError } from './errors.js';
import { JsonText } from './json-text.js';

/**
 * What may be set per event; all have defaults.
 * @example
 * const options: EventOptions = { id: 'order-7', headers: { 'x-shop': 'north' } };
 * await publisher.toTopic('prices.demo', { price: 3 }, options);
 */
export interface EventOptions {
  /** Identity: a repeat with the same id reaches no application twice. Default: a new UUIDv7. */
  id?: string;
  /**
   * AMQP headers. The application's own, `x-…`, reach the client in `headers`, 2,048 bytes of names and values together, as
   * `cloudEvents_…` do. `evenkeel-at` (ms since the epoch, default now) is what clients get as `at`.
   */
  headers?: Record<string, unknown>;
  /**
   * W3C trace context, which the client gets with the event; what is not well-formed is left out. Default: that of the active span, where
   * the application uses `@opentelemetry/api`.
   */
  traceparent?: string;
  tracestate?: string;
  /**
   * Default `application/json`: `payload` is sent as JSON; of bytes (`Uint8Array`, `ArrayBuffer`) `application/octet-stream`, and
   * clients get bytes. With a type that is no JSON `payload` must be a string or bytes, which are sent as they are.
   */
  contentType?: string;
  /** Survives a restart of the broker. Default true. */
  persistent?: boolean;
}

/**
 * A client has acknowledged an event: its handler has settled.
 * @example
 * const onReceipt = ({ session, at }: Receipt) => console.log(session, new Date(at));
 * await publisher.toUser('alice', 'order.created', { number: 7 }, { onReceipt });
 */
export interface Receipt {
  /** Of the event. */
  readonly id: string;
  readonly user: string;
  readonly session: string;
  /** When the edge heard of it, ms since the epoch. */
  readonly at: number;
}

/**
 * What may be set of an event for a user.
 * @example
 * const options: DirectedOptions = { expirationMs: 60_000, onlyOnline: true };
 * await publisher.toUser('alice', 'order.created', { number: 7 }, options);
 */
export interface DirectedOptions extends EventOptions {
  /** Time to live: what has waited so long for its client is not sent, and a `gap` `expired` is in its place. */
  expirationMs?: number | undefined;
  /** Sessions that have no connection when it is published do not get it, and no `gap`. */
  onlyOnline?: boolean | undefined;
  /** Of the events that an edge keeps back for a slow client only the newest with this text is sent. */
  collapse?: string | undefined;
  /**
   * Called with a receipt of each session whose client has acknowledged the event. As well as they can be had: one may be missing where an
   * edge dies, or come twice; a plain WebSocket gives none. Receipts of the newest 10,000 events of this publisher are handed on. The first
   * event with this is sent once there is a queue for receipts, on a connection of its own; later calls wait behind it.
   */
  onReceipt?: ((receipt: Receipt) => unknown) | undefined;
}

/**
 * What may be set of a message of a topic.
 * @example
 * const options: TopicOptions = { key: 'tea' }; // in a table of newest values
 * await publisher.toTopic('prices.demo', { price: 3 }, options);
 */
export interface TopicOptions extends EventOptions {
  /** In a namespace with the newest value a key: which this is the newest of. An empty body (`new Uint8Array()`) deletes it. */
  key?: string | undefined;
}

/** The bytes that `payload` is; undefined: it is none. */
function bytesOf(payload: unknown): Buffer | undefined {
  if (ArrayBuffer.isView(payload)) return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  return payload instanceof ArrayBuffer ? Buffer.from(payload) : undefined;
}

/** The type of what has none said: bytes stay bytes, whatever they look like. */
export const contentTypeOf = (payload: unknown): string =>
  bytesOf(payload) === undefined ? 'application/json' : 'application/octet-stream';

/** The body of a message. @throws PublisherError `bad-body`. */
export function bodyOf(payload: unknown, contentType: string): Buffer {
  const bytes = bytesOf(payload);
  if (bytes !== undefined) return bytes;
  if (!isJsonType(contentType)) {
    if (typeof payload === 'string') return Buffer.from(payload);
    throw new PublisherError('bad-body', `a body of type ${contentType} is given as a string or bytes`);
  }
  if (payload instanceof JsonText) return Buffer.from(payload.text);
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    throw new PublisherError(
      'bad-body',
      'the body cannot be written as JSON; give a contentType and bytes',
      cause,
    );
  }
  if (text === undefined)
    throw new PublisherError('bad-body', 'undefined and functions are no JSON; give null for nothing');
  return Buffer.from(text);
}

/** Checks the words of an event or a topic. @throws PublisherError `bad-name`. */
export function checkName(kind: 'event' | 'topic' | 'method', name: string): void {
  if (isTopic(name)) return;
  const rule = 'use words of A-Z a-z 0-9 _ ~ - joined by dots, at most 200 bytes';
  throw badName(
    kind,
    name,
    name === '*' && kind === 'event' ? `it is how clients ask for all events; ${rule}` : rule,
  );
}

/** Checks the id of a message: what AMQP carries, and nothing else made into it. @throws PublisherError `bad-id`. */
export function checkId(id: unknown): void {
  if (typeof id === 'string' && id !== '' && Buffer.byteLength(id) <= maxKeyBytes) return;
  const given = typeof id === 'string' ? `${Buffer.byteLength(id)} bytes` : kindOf(id);
  throw new PublisherError('bad-id', `the id is ${given}; give a string of 1 to ${maxKeyBytes} bytes`);
}

/** Checks what is served: words, of which some may be wildcards. @throws PublisherError `bad-name`. */
export function checkPattern(kind: 'method' | 'topic', pattern: string): void {
  if (isTopicPattern(pattern)) return;
  throw badName(kind, pattern, 'use words joined by dots, at most 200 bytes; a word may be * or #');
}

function badName(kind: string, name: unknown, rule: string): PublisherError {
  const shown =
    typeof name === 'string' ? `"${name.length > 64 ? `${name.slice(0, 64)}…` : name}"` : kindOf(name);
  return new PublisherError('bad-name', `${kind} ${shown}: ${rule}`);
}

/** A routing key that AMQP can carry. @throws PublisherError `key-too-long`. */
export function checkedKey(key: string): string {
  const bytes = Buffer.byteLength(key);
  if (bytes <= maxKeyBytes) return key;
  throw new PublisherError(
    'key-too-long',
    `the routing key has ${bytes} bytes and may have ${maxKeyBytes}; shorten the name`,
  );
}
