import type { PlanRun } from './run/run.js';
import type { SavedState } from './state.js';

/** Progress of a running plan is saved no more often than this, ms, … */
const PROGRESS_EVERY_MS = 250;
/** … and no more than this much of it a second: that of thousands of nodes is megabytes. */
const BYTES_PER_SECOND = 1_000_000;
/** What ends at a time is saved again after this long, ms: with what its successor may have heard as well. */
const RENEW_EVERY_MS = 30_000;

export interface SaverPorts {
  /** Resolves when the state is safe; undefined when that is not to be waited for. */
  save(state: SavedState): Promise<void> | undefined;
  log(event: string, fields: object): void;
}

/** Saves what a successor needs: at once what an operator asked for, and a plan's progress when it has changed. */
export class Saver {
  readonly #ports: SaverPorts;
  #savedAtMs = Number.NEGATIVE_INFINITY;
  #savedRun = '';
  #everyMs = PROGRESS_EVERY_MS;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ports: SaverPorts) {
    this.#ports = ports;
  }

  /** Saves now. A failure is logged: the next change saves all again. */
  async save(state: SavedState): Promise<void> {
    try {
      await this.#ports.save(state);
    } catch (error) {
      this.#ports.log('state not saved', { error: String(error) });
    }
  }

  /** Whether it is time to save again what ends at a time, if anything does. */
  isDue(hasEnd: () => boolean, nowMs: number): boolean {
    if (nowMs - this.#renewedAtMs < RENEW_EVERY_MS) return false;
    this.#renewedAtMs = nowMs;
    return hasEnd();
  }

  /** Saves if the run has changed since it was last saved, but not too often. */
  saveProgress(run: PlanRun, state: () => SavedState, nowMs: number): void {
    if (nowMs - this.#savedAtMs < this.#everyMs) return;
    this.#savedAtMs = nowMs;
    const text = JSON.stringify(run.snapshot());
    if (text === this.#savedRun) return;
    this.#savedRun = text;
    this.#everyMs = Math.max(PROGRESS_EVERY_MS, (text.length / BYTES_PER_SECOND) * 1000);
    void this.save(state());
  }
}
