/** Every code a {@link BrokerError} can carry. */
const BROKER_ERROR_CODES = {
  /** What was given is no address of a broker, or one of several is not. */
  badAddress: 'bad-address',
  /** Nothing answers at the address, or it stopped answering during the handshake. */
  brokerUnreachable: 'broker-unreachable',
  /** The broker answered and refused: credentials, virtual host or permissions. */
  brokerRefused: 'broker-refused',
  /** The operation outlived its deadline or a second connection loss; it may or may not have happened. */
  brokerUnavailable: 'broker-unavailable',
  /** {@link Broker.close} was called. */
  brokerClosed: 'broker-closed',
  /** An exchange exists with another type or other arguments, or a binding names what does not exist. */
  topologyRefused: 'topology-refused',
  /** More topology operations are waiting than the limit allows. */
  topologyOverflow: 'topology-overflow',
  /** The queue exists with other arguments; `cause` has RabbitMQ's words. */
  queueDiffers: 'queue-differs',
  /** The queue does not exist. */
  noQueue: 'no-queue',
  /** The queue is on a node of the broker that is down. */
  queueDown: 'queue-down',
  /** The queue belongs to another connection or another exclusive consumer. */
  queueLocked: 'queue-locked',
  /** The exchange does not exist. */
  noExchange: 'no-exchange',
  /** The broker answered a publish with basic.nack. */
  publishNacked: 'publish-nacked',
  /** A message that cannot be encoded, or that the broker closes the channel for. */
  publishRefused: 'publish-refused',
  /** Not confirmed in time; it may or may not have arrived. */
  publishTimeout: 'publish-timeout',
  /** More messages are waiting than the limit allows. */
  publisherOverflow: 'publisher-overflow',
  /** RabbitMQ takes nothing, because of an alarm; the message was not sent, and will not be. */
  publisherBlocked: 'publisher-blocked',
} as const;

/**
 * What can go wrong with the broker, by name.
 * @example
 * const mayTryAgain = (code: BrokerErrorCode) => code === 'publish-timeout';
 */
export type BrokerErrorCode = (typeof BROKER_ERROR_CODES)[keyof typeof BROKER_ERROR_CODES];

/**
 * The only error this package rejects with. `cause` holds the original, `message` says what to do next.
 * @example
 * try {
 *   await publisher.toUser('alice', 'order.created', { number: 7 });
 * } catch (error) {
 *   if (error instanceof BrokerError) console.log(error.code); // publish-timeout, …
 * }
 */
export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BrokerError';
    this.code = code;
  }
}

/** The URL with its password replaced by `***`; what is no URL comes back without anything before an `@`. */
export function redactUrl(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    return parsed.toString();
  } catch {
    return url.replace(/^.*@/, '***@');
  }
}

/** AMQP reply codes that close a channel and that this package tells apart. */
export const REPLY = {
  accessRefused: 403,
  notFound: 404,
  resourceLocked: 405,
  preconditionFailed: 406,
} as const;

/** The reply code when the server closed the channel for this very error; undefined when the connection was lost. */
export function replyCodeOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** RabbitMQ says so alike in 3.10 and 4.x; AMQP has no code of its own for it. */
const homeDown = /home node .* (?:is )?down or inaccessible/;

/** Whether the server refused because the queue lives on a node that is down: not found, and yet there. */
export function isQueueDown(error: unknown): boolean {
  return replyCodeOf(error) === REPLY.notFound && homeDown.test(messageOf(error));
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
