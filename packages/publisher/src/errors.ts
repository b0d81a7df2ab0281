/**
 * Every code of a {@link PublisherError}.
 * @example
 * const isOfName = (code: PublisherErrorCode) => code === 'bad-name' || code === 'key-too-long';
 */
export type PublisherErrorCode =
  | 'bad-name'
  | 'bad-id'
  | 'bad-option'
  | 'key-too-long'
  | 'bad-body'
  | 'bad-data'
  | 'already-served'
  | 'method-taken'
  | 'queue-differs';

/**
 * What this package itself rejects with. Before anything is sent: `bad-name` (event, topic or method), `bad-id`, `bad-option`,
 * `key-too-long` (over 255 bytes), `bad-body`, `bad-data` (it is not as `mesh` defines it). When a service is started: `already-served` (by this publisher), `method-taken`
 * (by a service of another name), `queue-differs` (the queue exists with other settings). The message says what to do. What the
 * broker makes of it is a `BrokerError`, a user id that cannot be carried a `NameError`.
 * @example
 * try {
 *   await publisher.toTopic('prices demo' as 'prices.demo', { price: 3 });
 * } catch (error) {
 *   if (error instanceof PublisherError) console.log(error.code); // bad-name
 * }
 */
export class PublisherError extends Error {
  readonly code: PublisherErrorCode;
  constructor(code: PublisherErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PublisherError';
    this.code = code;
  }
}

/**
 * Thrown by a handler of `publisher.serve`: the client's request rejects with this code and this message. Whatever else a
 * handler throws stays at the service: the client gets `service-error`, "the service failed".
 * @example
 * await publisher.serve('shop.price', ({ data }) => {
 *   if (data.item === 'gold') throw new ServiceError('sold-out', 'There is none left.');
 *   return 3;
 * });
 */
export class ServiceError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ServiceError';
    this.code = code;
  }
}

/**
 * Why `publisher.ask` has no answer. `session` is set where a client has said so: with its own code, `handler-error` (its handler
 * failed), `no-handler` (it serves no such method) or `bad-data` (question or answer are not as the mesh defines them). Else the mesh has: `no-session`, `timeout`, `too-many`, `too-large`, `not-ready`.
 * @example
 * try {
 *   await publisher.ask('alice', 'order.confirm', { order: 7 });
 * } catch (error) {
 *   if (error instanceof AskError) console.log(error.code, error.session);
 * }
 */
export class AskError extends Error {
  readonly code: string;
  readonly session: string | undefined;
  constructor(code: string, message: string, session?: string) {
    super(message);
    this.name = 'AskError';
    this.code = code;
    this.session = session;
  }
}
