import { backoffMs } from '@evenkeel/pace';
import { ClientError, reasonOf } from '../errors.js';
import * as limits from '../limits.js';
import type { AttemptHost } from './host.js';

/** How long to wait after so many tries; at most `mostMs` where that is given, from nothing on. */
export function waitMs(
  { options, random }: Pick<AttemptHost, 'options' | 'random'>,
  tries: number,
  mostMs?: number,
): number {
  const { minMs = 500, maxMs = 20_000 } = options.backoff ?? {};
  const most = mostMs ?? Math.min(maxMs, limits.retryAfterMs);
  return backoffMs(tries, { minMs: mostMs ?? minMs, maxMs: most }, random);
}

/** What a status says of what was thrown. */
export const why = (cause: unknown): { code: string; reason: string; cause: unknown } => {
  const { code, message: reason } =
    cause instanceof ClientError ? cause : { code: 'unreachable', message: reasonOf(cause) };
  return { code, reason, cause };
};
