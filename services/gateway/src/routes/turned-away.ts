import { countByState, type StatedNode } from '@evenkeel/cluster';
import { LogLimit } from '@evenkeel/pace';

/** The log says it again after this long at most. */
const everyMs = 10_000;

/** The part of a log that is used. */
interface TurnedAwayLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/**
 * Writes to the log that no edge takes clients: once every 10 s at most, with what is known of the edges, and
 * once that one does again. Those that only have to wait for their slot are metrics alone.
 */
export class TurnedAway {
  readonly #nodes: () => readonly StatedNode[];
  readonly #log: TurnedAwayLog;
  readonly #limit = new LogLimit(everyMs);
  /** The last line says that clients are turned away. */
  #isSaid = false;

  constructor(nodes: () => readonly StatedNode[], log: TurnedAwayLog) {
    this.#nodes = nodes;
    this.#log = log;
  }

  refused(reason: 'none' | 'full' | 'wait', nowMs: number): void {
    if (reason === 'wait') return;
    const suppressed = this.#limit.pass(nowMs);
    if (suppressed === undefined) return;
    this.#isSaid = true;
    const clients = suppressed + 1;
    const counts = [...countByState(this.#nodes())];
    const edges = Object.fromEntries(counts.filter(([, count]) => count > 0));
    if (reason === 'full')
      this.#log.warn({ clients, edges }, 'clients turned away: every edge is at capacity');
    else this.#log.warn({ clients, edges }, 'clients turned away: no edge takes any');
  }

  placed(): void {
    if (!this.#isSaid) return;
    this.#isSaid = false;
    this.#log.info({}, 'clients are placed again');
  }
}
