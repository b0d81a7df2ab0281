import type { MoveProgress } from '@evenkeel/protocol';
import { Counts, slowSeconds, Tally } from '@evenkeel/runtime';

/** What becomes of sessions that are to move. `refused`: it is not here, or it moves already. */
const moveEnds = ['done', 'failed', 'pinned', 'timed-out', 'refused'] as const;

/** What has become of the moves of this edge: written by departures, read by statistics and the drain. */
export class MoveLedger {
  /** Sessions picked, or told, and not gone. */
  pending = 0;
  done = 0;
  failed = 0;
  /** By what became of them: {@link moveEnds}. */
  readonly ends = Counts.of(moveEnds);
  /** From the first `move` frame to the session's being gone, of those done, s. */
  readonly times = new Tally(slowSeconds);
  /** When the last command to move sessions arrived, ms; 0: none has. */
  commandedAtMs = 0;
  #changed = new Map<string, MoveProgress>();
  #onChange: () => void = () => {};

  get counts(): { pending: number; done: number; failed: number } {
    const { pending, done, failed } = this;
    return { pending, done, failed };
  }

  /** Calls `fn` whenever there is something to {@link MoveLedger.take}; there is one listener. */
  onChange(fn: () => void): void {
    this.#onChange = fn;
    if (this.#changed.size > 0) fn();
  }

  /** A command has got on, or is to be reported again. */
  changed(progress: MoveProgress): void {
    this.#changed.set(progress.move, progress);
    this.#onChange();
  }

  /** What has changed since the last call, as it is now. */
  take(): MoveProgress[] {
    const changed = [...this.#changed.values()];
    this.#changed = new Map();
    return changed;
  }
}
