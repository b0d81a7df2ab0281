import { maxTimerMs, monotonicNow } from '@evenkeel/pace';

/** `ms` as a timer takes it; also `Infinity`: some 25 days are no limit, for what is called so. */
export const timerMs = (ms: number): number => Math.min(ms, maxTimerMs);

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

/** Resolves with what `begin` is given a way to tell, or with `late` after `ms`. */
export const within = <T>(ms: number, begin: (done: (value: T) => void) => void, late: () => T): Promise<T> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late()), timerMs(ms));
    begin((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });

const nothing = (): void => {};

/** Who waits until nothing is under way. */
export class Waiters {
  readonly #waiting: (() => void)[] = [];

  /** Resolves with `end`, or after `ms`. */
  wait(ms: number): Promise<void> {
    return within(ms, (done) => this.#waiting.push(done), nothing);
  }

  freeAll(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}
