import type { NodeStats } from '@evenkeel/protocol';

/** Times after which a node's silence counts, ms since its last stats arrived. */
export interface ViewLimits {
  /** Placement prefers others from here on. */
  lateMs: number;
  /** No placement from here on. */
  staleMs: number;
  /** Forgotten from here on. */
  removeMs: number;
  /** Nodes known at most; stats of a further one are ignored. */
  maxNodes: number;
}

export const viewDefaults: ViewLimits = { lateMs: 2_500, staleMs: 5_000, removeMs: 15_000, maxNodes: 2_000 };

/** A node as placement sees it. */
export interface KnownNode {
  readonly stats: NodeStats;
  /** Nothing was heard for `staleMs`. */
  readonly isSuspect: boolean;
  /** A report is overdue, or many clients say that they have lost it: others are better while there are any. */
  readonly isDoubtful: boolean;
}

/**
 * Users that have to come back from a node between two of its reports for it to be in doubt: this many, and
 * this part of its connections. Fewer is one user's own network.
 */
const doubt = { users: 3, part: 0.01, maxUsers: 1_000 };

interface Entry {
  stats: NodeStats;
  seenAtMs: number;
  /** Who has come back from it since. */
  returned: Set<string>;
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
  readonly #nodes = new Map<string, Entry>();
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
      this.#nodes.set(stats.node, { stats, seenAtMs: nowMs, returned: new Set() });
      return { kind: 'first', stats };
    }
    const previous = known.stats;
    if (previous.boot === stats.boot) {
      if (stats.seq <= previous.seq) return { kind: 'ignored' };
      this.#nodes.set(stats.node, { stats, seenAtMs: nowMs, returned: new Set() });
      return { kind: 'next', stats, previous };
    }
    if (this.#replaced.get(stats.node) === stats.boot) return { kind: 'ignored' };
    this.#replaced.set(stats.node, previous.boot);
    this.#nodes.set(stats.node, { stats, seenAtMs: nowMs, returned: new Set() });
    return { kind: 'restarted', stats, previous };
  }

  /** `user` says that it was connected to `node` and is no more. The node's next report clears it. */
  returnedFrom(node: string, user: string): void {
    const returned = this.#nodes.get(node)?.returned;
    if (returned !== undefined && returned.size < doubt.maxUsers) returned.add(user);
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
    const { lateMs, staleMs, removeMs } = this.#limits;
    for (const { stats, seenAtMs, returned } of this.#nodes.values()) {
      const ageMs = nowMs - seenAtMs;
      if (ageMs >= removeMs) continue;
      const crowd = Math.min(doubt.maxUsers, Math.max(doubt.users, stats.connections * doubt.part));
      known.push({
        stats,
        isSuspect: ageMs >= staleMs,
        isDoubtful: ageMs >= lateMs || returned.size >= crowd,
      });
    }
    return known;
  }
}
