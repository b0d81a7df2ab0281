import { type CloseCode, closeCodes } from '@evenkeel/protocol';
import type { EdgeConfig } from '../config.js';

export interface Waiting {
  /** No hello has come yet. */
  readonly isOpened: boolean;
  readonly openedAtMs: number;
  /** Since when its connection has been over the high watermark. */
  readonly slowSinceMs: number | undefined;
  /** When the oldest unacknowledged event was written. */
  readonly oldestAtMs: number | undefined;
}

/** With which code a connection is closed whose client is too late with something; undefined: it is not. */
export function overdue(
  { isOpened, openedAtMs, slowSinceMs, oldestAtMs }: Waiting,
  limits: Pick<EdgeConfig, 'helloTimeoutMs' | 'slowConsumerMs' | 'ackTimeoutMs'>,
  nowMs: number,
): CloseCode | undefined {
  if (isOpened && nowMs - openedAtMs > limits.helloTimeoutMs) return closeCodes.helloTimeout;
  if (nowMs - (slowSinceMs ?? nowMs) > limits.slowConsumerMs) return closeCodes.slowConsumer;
  if (nowMs - (oldestAtMs ?? nowMs) > limits.ackTimeoutMs) return closeCodes.ackTimeout;
  return undefined;
}
