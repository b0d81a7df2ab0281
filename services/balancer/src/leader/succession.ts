import type { Log } from '@evenkeel/runtime';
import { hasEnd } from '../core/own-time.js';
import type { NewerState, SavedState } from '../core/state.js';

export interface SuccessionParts {
  /** What the leader before has left. */
  load(): Promise<SavedState | NewerState | undefined>;
  isLeading(): boolean;
  /** Resolves when every node has been heard, or is waited for no longer. */
  heard(): Promise<void>;
  /** Goes on from there. */
  lead(saved: SavedState | undefined): void;
  /** Leaves everything as it is. */
  hold(why: string): void;
  log: Pick<Log, 'error'>;
  /** How often a state that is not understood is looked at again. Default 5000. */
  everyMs?: number;
}

/**
 * Takes over what the leader before has left. A state of a later version is neither planned by nor written over: whoever
 * understands it finds it where it was. It is looked at again and again, in case somebody has taken it away.
 */
export class Succession {
  readonly #parts: SuccessionParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
  }

  /** Resolves when it is taken over, or found not to be understood. */
  async begin(): Promise<void> {
    this.end();
    const { load, isLeading, heard, lead, hold, log, everyMs = 5_000 } = this.#parts;
    const saved = await load();
    if (!isLeading()) return;
    if (saved === undefined) return lead(undefined);
    if (!('newer' in saved)) {
      // By which clock that is, the nodes tell.
      if (hasEnd(saved)) await heard();
      return isLeading() ? lead(saved) : undefined;
    }
    const why =
      `mesh.plan holds a state of version ${saved.newer}, which this balancer does not understand: ` +
      'stop it and start the newer one, or purge mesh.plan';
    log.error({ version: saved.newer }, why);
    hold(why);
    this.#again(everyMs);
  }

  /** Looks no more. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #again(everyMs: number): void {
    this.#timer = setTimeout(() => {
      if (!this.#parts.isLeading()) return;
      this.begin().catch((error: unknown) => {
        this.#parts.log.error({ err: error }, 'saved state not looked at, trying again');
        this.#again(everyMs);
      });
    }, everyMs);
  }
}
