/** Every code of a {@link PublisherError}. */
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
 * Thrown by a handler of {@link Publisher.serve}: the client's request rejects with this code and this message. Whatever else a
 * handler throws stays at the service: the client gets `service-error`, "the service failed".
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
 * Why {@link Publisher.ask} has no answer. `session` is set where a client has said so: with its own code, `handler-error` (its handler
 * failed), `no-handler` (it serves no such method) or `bad-data` (question or answer are not as the mesh defines them). Else the mesh has: `no-session`, `timeout`, `too-many`, `too-large`, `not-ready`.
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
