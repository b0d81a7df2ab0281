import type { Mode } from './live-settings.js';
import type { Pause, SavedState } from './state.js';

/** Whoever has aborted a plan has not done so to see the same plan again, ms. */
const abortHoldMs = 300_000;

/** Whether nothing is rebalanced yet because of it. */
export const isHeld = (aborted: Pause, nowMs: number): boolean => nowMs - aborted.at < abortHoldMs;

/** Whether rebalancing may happen on its own, and who has said that it may not. */
export class Automatic {
  mode: Mode;
  pausedBy: Pause | undefined;
  /** Who has aborted a plan last. */
  abortedBy: Pause | undefined;
  isPaused = false;
  readonly #isMaintenance: (nowMs: number) => boolean;

  constructor(mode: Mode, isMaintenance: (nowMs: number) => boolean) {
    this.mode = mode;
    this.#isMaintenance = isMaintenance;
  }

  pause(pause: Pause): void {
    this.isPaused = true;
    this.pausedBy = pause;
  }

  resume(): void {
    this.isPaused = false;
    this.pausedBy = undefined;
    this.abortedBy = undefined;
  }

  saved(): Pick<SavedState, 'isPaused' | 'pause' | 'aborted'> {
    const { isPaused, pausedBy: pause, abortedBy: aborted } = this;
    return {
      isPaused,
      ...(pause === undefined ? {} : { pause }),
      ...(aborted === undefined ? {} : { aborted }),
    };
  }

  /** As the leader before has left it. */
  restore({ isPaused, pause, aborted }: SavedState): void {
    this.isPaused = isPaused;
    this.pausedBy = pause;
    this.abortedBy = aborted;
  }

  /** Whether it may, else why not. */
  mayLevel(nowMs: number): true | string {
    if (this.isPaused) return `paused by ${this.pausedBy?.by ?? 'an operator'}`;
    if (this.mode === 'manual') return 'manual mode';
    if (this.#isMaintenance(nowMs)) return 'maintenance window';
    const { abortedBy } = this;
    if (abortedBy === undefined || !isHeld(abortedBy, nowMs)) return true;
    return `${abortedBy.by} has aborted a plan: nothing is rebalanced for 5 minutes after that, or until resume`;
  }
}
