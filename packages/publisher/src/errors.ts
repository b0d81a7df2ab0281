/**
 * What this package rejects with before anything is sent: `bad-name` (event, topic or method), `key-too-long` (over 255
 * bytes), `bad-body`. What the broker makes of it is a `BrokerError`, a user id that cannot be carried a `NameError`.
 */
export class PublisherError extends Error {
  readonly code: 'bad-name' | 'key-too-long' | 'bad-body';
  constructor(code: PublisherError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PublisherError';
    this.code = code;
  }
}
