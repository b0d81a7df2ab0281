/** What went wrong, and what is behind it: Node's `fetch failed` says nothing by itself. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message } = (error.cause ?? {}) as { code?: unknown; message?: unknown };
  const behind = message || code;
  return behind ? `${error.message}: ${behind}` : error.message;
}

/**
 * What the client rejects with. `code` is stable: `closed`, `timeout`, `aborted`, `too-many-pending`, `too-large`,
 * `bad-name`, `bad-body`, `unauthorized`, `refused`, `no-websocket`, a close reason of the protocol, or the code that an
 * edge or an application service answered with (`no-service`, `request-timeout`, …).
 */
export class ClientError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
  }
}
