/** Bounds of the wait between attempts, ms. */
export interface Backoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Full jitter: a random part of a ceiling that doubles with each failed attempt (0 = the first). */
export const backoffMs = (attempt: number, { minMs, maxMs }: Backoff, random: () => number): number =>
  Math.round(random() * Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30)));

/** `Retry-After` is kept in full, plus a random part up to as much again: all clients were told the same number. */
export const retryAfterMs = (seconds: number, random: () => number): number =>
  Math.round(seconds * 1000 * (1 + random()));
