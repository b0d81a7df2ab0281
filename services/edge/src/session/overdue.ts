import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import type { EdgeConfig } from '../config.js';
import type { Connection } from '../transport/connection.js';

/** With which code a connection is closed whose client is too late with something; undefined: it is not. */
export function overdue(
  /** No hello has come yet. */
  isOpened: boolean,
  { openedAtMs, slowSinceMs }: Pick<Connection, 'openedAtMs' | 'slowSinceMs'>,
  { oldestAtMs }: { readonly oldestAtMs: number | undefined },
  limits: Pick<EdgeConfig, 'helloTimeoutMs' | 'slowConsumerMs' | 'ackTimeoutMs'>,
  nowMs: number,
): CloseCode | undefined {
  if (isOpened && nowMs - openedAtMs > limits.helloTimeoutMs) return closeCodes.helloTimeout;
  if (nowMs - (slowSinceMs ?? nowMs) > limits.slowConsumerMs) return closeCodes.slowConsumer;
  if (nowMs - (oldestAtMs ?? nowMs) > limits.ackTimeoutMs) return closeCodes.ackTimeout;
  return undefined;
}
