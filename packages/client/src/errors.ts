import type { closeCodes, ErrorCode } from '@evenkeel/protocol/wire';

/** What went wrong, and what is behind it: Node's `fetch failed` says nothing by itself. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, message } = (error.cause ?? {}) as { code?: unknown; message?: unknown };
  const behind = message || code;
  return behind ? `${error.message}: ${behind}` : error.message;
}

/**
 * Codes of the client's own.
 * @example
 * const isMine = (code: OwnErrorCode) => code === 'bad-option' || code === 'bad-name';
 */
export type OwnErrorCode =
  | 'aborted'
  | 'already-served'
  | 'bad-body'
  | 'bad-data'
  | 'bad-name'
  | 'bad-option'
  | 'bad-user-id'
  | 'closed'
  | 'get-token-failed'
  | 'no-websocket'
  | 'offline-full'
  | 'refused'
  | 'timeout'
  | 'too-large'
  | 'too-many-pending'
  | 'topic-limit'
  | 'unauthorized'
  | 'unreachable'
  | 'unread';

/**
 * The client's, the mesh's, the reasons of close codes; services have codes of their own.
 * @example
 * const mayTryAgain = (code: ClientErrorCode) => code === 'timeout' || code === 'broker-unavailable';
 */
export type ClientErrorCode = OwnErrorCode | ErrorCode | CloseReason | (string & Record<never, never>);

type CloseReason = (typeof closeCodes)[keyof typeof closeCodes]['reason'];

/**
 * What the client rejects with. `code` is stable. `source` tells whose it is: a service may answer with a code that looks like one of
 * the client's. `cause` is what is behind it, where there is something; of `closed` it is what closed the client.
 * @example
 * try {
 *   await client.request('shop.price', { item: 'tea' });
 * } catch (error) {
 *   if (error instanceof ClientError) console.log(error.code, error.source);
 * }
 */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly source: 'client' | 'mesh' | 'service';
  constructor(
    code: ClientErrorCode,
    message: string,
    cause?: unknown,
    source: ClientError['source'] = 'client',
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ClientError';
    this.code = code;
    this.source = source;
  }
}
