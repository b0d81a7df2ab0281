import type { Delivery } from '@evenkeel/broker';
import { atHeader } from '@evenkeel/protocol';

/** One event in so many is measured: the first, and so on. */
const every = 8;
/** A percentile is shown for so long, where nothing newer was measured, ms. */
const keptMs = 10_000;
/** Upper bounds, s. */
const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/**
 * How long events take from publishing, as their header `evenkeel-at` says, to the socket. AMQP's own `timestamp` is in
 * seconds: too coarse. Hosts' clocks are not the same, so what seems to have come before it was published took no time.
 */
export class PublishDelays {
  readonly bounds: readonly number[] = bounds;
  /** Of each bound those that took no longer, and more than the one before; the last took longer than all. */
  readonly counts: number[] = Array.from({ length: bounds.length + 1 }, () => 0);
  /** Of all that were measured, s. */
  sum = 0;
  #skipped = every - 1;
  /** As they were when the percentile was last taken. */
  #takenCounts: readonly number[] = [...this.counts];
  #p99: { readonly ms: number; readonly atMs: number } | undefined;

  /** An event is written now. */
  take({ properties }: Pick<Delivery, 'properties'>, wallMs: number): void {
    this.#skipped += 1;
    if (this.#skipped < every) return;
    const at = properties.headers[atHeader];
    if (typeof at !== 'number') return;
    this.#skipped = 0;
    const seconds = Math.max(0, wallMs - at) / 1_000;
    // What is in µs, or in another century, is no delay.
    if (!Number.isFinite(seconds)) return;
    let n = 0;
    while (n < bounds.length && seconds > (bounds[n] ?? 0)) n += 1;
    this.counts[n] = (this.counts[n] ?? 0) + 1;
    this.sum += seconds;
  }

  /**
   * 99th percentile since the last call, ms, as its bound says; where none was measured since, what it was before, for ten
   * seconds; then undefined.
   */
  takeP99Ms(nowMs: number): number | undefined {
    const since = this.counts.map((count, i) => count - (this.#takenCounts[i] ?? 0));
    const all = since.reduce((sum, count) => sum + count, 0);
    if (all === 0)
      return this.#p99 !== undefined && nowMs - this.#p99.atMs < keptMs ? this.#p99.ms : undefined;
    this.#takenCounts = [...this.counts];
    let left = all * 0.01;
    let n = since.length - 1;
    while (n > 0 && left >= (since[n] ?? 0)) {
      left -= since[n] ?? 0;
      n -= 1;
    }
    const ms = (bounds[Math.min(n, bounds.length - 1)] ?? 0) * 1_000;
    this.#p99 = { ms, atMs: nowMs };
    return ms;
  }
}
