import { logged } from '@evenkeel/protocol';
import type { Log } from '@evenkeel/runtime';

/**
 * What happens to a session on an edge. `attached` also after a move; `moving`: its client was told to; `moved-away`, `taken-over`:
 * another edge has it, by a move or because its client came there by itself; `gap`: its client was told one.
 */
export type SessionEvent =
  | 'attached'
  | 'resumed'
  | 'moving'
  | 'moved-away'
  | 'taken-over'
  | 'detached'
  | 'ended'
  | 'gap';

/** Writes what happens to each session into the log, at `debug`, so that one can be followed over gateway, edges and moves. */
export class Journal {
  readonly #log: Pick<Log, 'debug' | 'isLevelEnabled'>;

  constructor(log: Pick<Log, 'debug' | 'isLevelEnabled'>) {
    this.#log = log;
  }

  note(what: SessionEvent, who: { readonly uid: string; readonly sid: string }, details: object = {}): void {
    if (this.#log.isLevelEnabled('debug')) this.#log.debug({ ...logged(who), ...details }, what);
  }
}
