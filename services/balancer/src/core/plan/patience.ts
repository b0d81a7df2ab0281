/** So long may what keeps a plan waiting be away without having ended, ms. */
const breakMs = 10_000;

/**
 * How long reasons for waiting are respected. A reason that does not end is a fault, or somebody's doing, and keeps nobody waiting
 * for ever. Takes the time as an argument.
 */
export class Patience {
  readonly #seen = new Map<string, { readonly sinceMs: number; atMs: number }>();

  /** Whether this reason, which is there now or is not, still counts: not once it has been there for `mostMs` at a stretch. */
  has(reason: string, isThere: boolean, mostMs: number, nowMs: number): boolean {
    const seen = this.#seen.get(reason);
    const isOld = seen !== undefined && nowMs - seen.atMs > breakMs;
    if (isOld) this.#seen.delete(reason);
    if (!isThere) return false;
    if (seen === undefined || isOld) {
      this.#seen.set(reason, { sinceMs: nowMs, atMs: nowMs });
      return true;
    }
    seen.atMs = nowMs;
    return nowMs - seen.sinceMs < mostMs;
  }
}
