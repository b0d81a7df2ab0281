import { LogLimit } from '@evenkeel/pace';

/** The log says it again after this long at most. */
const everyMs = 10_000;

/** The part of a log that is used. */
interface TurnedAwayLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/** A node as the log counts it. */
interface CountedNode {
  readonly state: string;
  readonly reachable?: boolean;
}

/**
 * Writes to the log that no edge takes clients: once every 10 s at most, with what is known of the edges, and
 * once that one does again. Those that only have to wait for their slot are metrics alone.
 */
export class TurnedAway {
  readonly #nodes: () => readonly CountedNode[];
  readonly #log: TurnedAwayLog;
  readonly #limit = new LogLimit(everyMs);
  /** The last line says that clients are turned away. */
  #isSaid = false;

  constructor(nodes: () => readonly CountedNode[], log: TurnedAwayLog) {
    this.#nodes = nodes;
    this.#log = log;
  }

  refused(reason: 'none' | 'full' | 'wait', nowMs: number): void {
    if (reason === 'wait') return;
    const suppressed = this.#limit.pass(nowMs);
    if (suppressed === undefined) return;
    this.#isSaid = true;
    const clients = suppressed + 1;
    const edges = byState(this.#nodes());
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

/** How many edges there are of each state. */
function byState(nodes: readonly CountedNode[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state, reachable } of nodes) {
    const shown = reachable === false ? 'unreachable' : state;
    counts[shown] = (counts[shown] ?? 0) + 1;
  }
  return counts;
}
