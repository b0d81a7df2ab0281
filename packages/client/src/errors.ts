/**
 * What the client rejects with. `code` is stable: `closed`, `timeout`, `aborted`, `too-many-pending`, `too-large`,
 * `bad-name`, `unauthorized`, `refused`, `no-websocket`, a close reason of the protocol, or the code that an edge or
 * an application service answered with (`no-service`, `request-timeout`, …).
 */
export class ClientError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
  }
}
