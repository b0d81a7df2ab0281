import { ClientError } from '../errors.js';
import type { ConnectOptions as CoreOptions } from '../options.js';

const maxInfoBytes = 1_024;

/** Options of {@link connect}. Only `gateway` (or `placement`) is needed. */
export interface ConnectOptions extends CoreOptions {
  /** What others see of this session in topics that say who is there, unless the token says it: JSON of at most 1,024 bytes. */
  info?: unknown;
}

/**
 * What the core gets of them: the place for a part that dials otherwise, such as one that replaces `WebSocket`.
 * @throws ClientError `bad-option`
 */
export function coreOptions(options: ConnectOptions): CoreOptions {
  const { info, ...core } = options;
  if (info !== undefined) checkInfo(info);
  return core;
}

function checkInfo(info: unknown): void {
  let text: string | undefined;
  try {
    text = JSON.stringify(info);
  } catch {}
  if (text === undefined || new TextEncoder().encode(text).length > maxInfoBytes)
    throw new ClientError('bad-option', `info is JSON of at most ${maxInfoBytes} bytes`);
}
