import { monotonicNow } from '@evenkeel/pace';

/** The longest a timer waits; beyond it, it would fire at once. Some 25 days: no limit, for what is called so. */
const longestMs = 2 ** 31 - 1;

/** `ms` as a timer takes it; also `Infinity`. */
export const timerMs = (ms: number): number => Math.min(ms, longestMs);

/** When something happened, on both clocks. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export const thisMoment = (): Moment => ({ monotonicMs: monotonicNow(), wallMs: Date.now() });

/**
 * At most so long ago, ms: the monotonic clock may have stood still while the machine slept, and somebody may have set the
 * other one.
 */
export const atMostSinceMs = ({ monotonicMs, wallMs }: Moment): number =>
  Math.round(Math.max(0, monotonicNow() - monotonicMs, Date.now() - wallMs));
