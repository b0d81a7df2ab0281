/**
 * Bounds of the wait between attempts, in milliseconds.
 * @example
 * const backoff: Backoff = { minMs: 500, maxMs: 10_000 };
 * const patient = connect({ gateway, user, backoff });
 */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * How long to wait before the next attempt: exponential back-off with full jitter, uniform in
 * [0, min(maxMs, minMs · 2^attempt)], in whole milliseconds. `attempt` counts from 0.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(attempt: number, { minMs, maxMs }: Backoff, random: () => number): number {
  return Math.round(random() * Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30)));
}
