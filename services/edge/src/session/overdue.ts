import { type CloseCode, closeCodes, defaults } from '@evenkeel/protocol';
import type { EdgeConfig } from '../config.js';
import type { Connection } from '../transport/connection.js';
import type { Outbox } from './outbox.js';

/** With which code a connection is closed whose client is too late with something; undefined: it is not. */
export function overdue(
  /** No hello has come yet. */
  isOpened: boolean,
  { openedAtMs, slowSinceMs }: Pick<Connection, 'openedAtMs' | 'slowSinceMs'>,
  { oldestAtMs, stuckSinceMs }: Pick<Outbox, 'oldestAtMs' | 'stuckSinceMs'>,
  limits: Pick<EdgeConfig, 'helloTimeoutMs' | 'slowConsumerMs' | 'ackTimeoutMs'>,
  nowMs: number,
): CloseCode | undefined {
  if (isOpened && nowMs - openedAtMs > limits.helloTimeoutMs) return closeCodes.helloTimeout;
  if (nowMs - (slowSinceMs ?? nowMs) > limits.slowConsumerMs) return closeCodes.slowConsumer;
  if (nowMs - (stuckSinceMs ?? nowMs) > limits.ackTimeoutMs) return closeCodes.ackTimeout;
  // However it gets on: RabbitMQ does not wait for ever, and then for none of those who share the channel.
  if (nowMs - (oldestAtMs ?? nowMs) > defaults.longestUnackedMs) return closeCodes.ackTimeout;
  return undefined;
}
