import type { NodeStats } from '@evenkeel/protocol';

/** Times after which a node's silence counts, ms since its last stats arrived. */
export interface ViewLimits {
  /** No placement from here on. */
  staleMs: number;
  /** Forgotten from here on. */
  removeMs: number;
  /** Nodes known at most; stats of a further one are ignored. */
  maxNodes: number;
}

export const viewDefaults: ViewLimits = { staleMs: 5_000, removeMs: 15_000, maxNodes: 2_000 };

/** A node as placement sees it. */
export interface KnownNode {
  readonly stats: NodeStats;
  /** Nothing was heard for `staleMs`. */
  readonly isSuspect: boolean;
}

/** What one message of statistics meant. */
export type Observation =
  | { kind: 'ignored' }
  | { kind: 'first'; stats: NodeStats }
  | { kind: 'restarted'; stats: NodeStats; previous: NodeStats }
  | { kind: 'next'; stats: NodeStats; previous: NodeStats };

/** The last statistics of every node, and how long ago they came. Takes the time as an argument. */
export class ClusterView {
  readonly #limits: ViewLimits;
  readonly #nodes = new Map<string, { stats: NodeStats; seenAtMs: number }>();
  /** Boots that were replaced: a late message of an old process must not bring it back. */
  readonly #replaced = new Map<string, string>();

  constructor(limits: ViewLimits = viewDefaults) {
    this.#limits = limits;
  }

  observe(stats: NodeStats, nowMs: number): Observation {
    this.forget(nowMs);
    const known = this.#nodes.get(stats.node);
    if (known === undefined) {
      if (this.#nodes.size >= this.#limits.maxNodes) return { kind: 'ignored' };
      this.#nodes.set(stats.node, { stats, seenAtMs: nowMs });
      return { kind: 'first', stats };
    }
    const previous = known.stats;
    if (previous.boot === stats.boot) {
      if (stats.seq <= previous.seq) return { kind: 'ignored' };
      this.#nodes.set(stats.node, { stats, seenAtMs: nowMs });
      return { kind: 'next', stats, previous };
    }
    if (this.#replaced.get(stats.node) === stats.boot) return { kind: 'ignored' };
    this.#replaced.set(stats.node, previous.boot);
    this.#nodes.set(stats.node, { stats, seenAtMs: nowMs });
    return { kind: 'restarted', stats, previous };
  }

  /** Drops the nodes that have been silent too long and returns their names. */
  forget(nowMs: number): string[] {
    const gone: string[] = [];
    for (const [name, { seenAtMs }] of this.#nodes) {
      if (nowMs - seenAtMs < this.#limits.removeMs) continue;
      this.#nodes.delete(name);
      this.#replaced.delete(name);
      gone.push(name);
    }
    return gone;
  }

  nodes(nowMs: number): KnownNode[] {
    const known: KnownNode[] = [];
    for (const { stats, seenAtMs } of this.#nodes.values()) {
      const ageMs = nowMs - seenAtMs;
      if (ageMs < this.#limits.removeMs) known.push({ stats, isSuspect: ageMs >= this.#limits.staleMs });
    }
    return known;
  }

  get size(): number {
    return this.#nodes.size;
  }
}
