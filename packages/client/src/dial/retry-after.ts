/** `Retry-After` is kept in full, plus a random part up to as much again: all clients were told the same number. */
export const retryAfterMs = (seconds: number, random: () => number): number =>
  Math.round(seconds * 1000 * (1 + random()));
