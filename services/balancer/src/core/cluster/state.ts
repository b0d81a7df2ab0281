import type { NodeStats } from '@evenkeel/protocol';

/**
 * A node's life as the balancer sees it. `joining` until its second report, `suspect` when reports stop,
 * `gone` when they stay away; the rest is what the node says of itself.
 */
export const phases = ['joining', 'active', 'cordoned', 'draining', 'suspect', 'gone'] as const;
export type Phase = (typeof phases)[number];

export interface ViewOptions {
  /** Without a report for this long a node is suspect. */
  suspectAfterMs: number;
  /** … and gone. */
  goneAfterMs: number;
  /** … and forgotten. */
  forgetAfterMs: number;
  /** More nodes than this are not taken into the view. */
  maxNodes: number;
}

export const viewDefaults: ViewOptions = {
  suspectAfterMs: 3000,
  goneAfterMs: 15_000,
  forgetAfterMs: 120_000,
  maxNodes: 5000,
};

/** One node, from its last report. */
export interface NodeView {
  readonly node: string;
  readonly phase: Phase;
  readonly stats: NodeStats;
  /** Local time of the last report. */
  readonly seenAtMs: number;
  /** Local time of the first report of this boot. */
  readonly bootSeenAtMs: number;
  readonly smooth: Smooth;
  /** Local time since which the node has said its present state. */
  readonly stateSinceMs: number;
}

/** Averages of what varies by chance. */
export interface Smooth {
  /** How long they go back. */
  readonly overMs: number;
  readonly events: number;
  readonly bytes: number;
  readonly cpu: number;
}

interface Entry {
  smooth: Smooth;
  /** The next report starts the averages anew. */
  isNew: boolean;
  /** The view handed out last; undefined when it is out of date. */
  shown: NodeView | undefined;
  stats: NodeStats;
  seenAtMs: number;
  bootSeenAtMs: number;
  stateSinceMs: number;
  reports: number;
}

/** What a report changed. */
export type Change = 'new' | 'reboot' | 'state' | 'returned' | 'none' | 'ignored';

/** The cluster from the nodes' reports. Takes time as an argument; does no I/O. */
export class ClusterView {
  readonly #options: ViewOptions;
  readonly #entries = new Map<string, Entry>();
  #names: string[] | undefined;

  constructor(options: Partial<ViewOptions> = {}) {
    this.#options = { ...viewDefaults, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes one report. Reports that come late, and those of an earlier boot, are ignored. */
  observe(stats: NodeStats, nowMs: number): Change {
    const entry = this.#entries.get(stats.node);
    if (entry === undefined) {
      if (this.#entries.size >= this.#options.maxNodes) return 'ignored';
      this.#entries.set(stats.node, fresh(stats, nowMs));
      this.#names = undefined;
      return 'new';
    }
    if (entry.stats.boot !== stats.boot) {
      const isFresh = nowMs - entry.seenAtMs < this.#options.suspectAfterMs;
      // The last words of the process before, overtaken by the first of the next.
      if (isFresh && stats.at < entry.stats.at) return 'ignored';
      this.#entries.set(stats.node, fresh(stats, nowMs));
      return 'reboot';
    }
    if (stats.seq <= entry.stats.seq) return 'ignored';
    const wasSilent = nowMs - entry.seenAtMs >= this.#options.suspectAfterMs;
    const hasNewState = entry.stats.state !== stats.state;
    if (hasNewState) entry.stateSinceMs = nowMs;
    entry.smooth = entry.isNew ? averages(stats) : blend(entry.smooth, stats, nowMs - entry.seenAtMs);
    entry.isNew = false;
    entry.shown = undefined;
    entry.stats = stats;
    entry.seenAtMs = nowMs;
    entry.reports += 1;
    if (hasNewState) return 'state';
    return wasSilent ? 'returned' : 'none';
  }

  /** Forgets the averages: sessions have been moved, and what was measured before says nothing of what is. */
  restartAverages(): void {
    for (const entry of this.#entries.values()) entry.isNew = true;
  }

  /** Every node known, by name; forgets those gone for long. */
  nodes(nowMs: number): NodeView[] {
    this.#names ??= [...this.#entries.keys()].sort();
    const out: NodeView[] = [];
    for (const node of this.#names) {
      const entry = this.#entries.get(node);
      if (entry === undefined) continue;
      if (nowMs - entry.seenAtMs < this.#options.forgetAfterMs) out.push(this.#shown(node, entry, nowMs));
      else {
        this.#entries.delete(node);
        this.#names = undefined;
      }
    }
    return out;
  }

  get(node: string, nowMs: number): NodeView | undefined {
    const entry = this.#entries.get(node);
    return entry === undefined ? undefined : this.#shown(node, entry, nowMs);
  }

  #shown(node: string, entry: Entry, nowMs: number): NodeView {
    const phase = this.#phase(entry, nowMs - entry.seenAtMs);
    if (entry.shown?.phase === phase) return entry.shown;
    const { stats, smooth, seenAtMs, bootSeenAtMs, stateSinceMs } = entry;
    entry.shown = { node, phase, stats, smooth, seenAtMs, bootSeenAtMs, stateSinceMs };
    return entry.shown;
  }

  #phase(entry: Entry, silentMs: number): Phase {
    if (silentMs >= this.#options.goneAfterMs) return 'gone';
    // A draining node that falls silent has left as it said it would.
    if (silentMs >= this.#options.suspectAfterMs)
      return entry.stats.state === 'draining' ? 'gone' : 'suspect';
    if (entry.stats.state !== 'active') return entry.stats.state;
    return entry.reports < 2 ? 'joining' : 'active';
  }
}

/** What one report covers. */
const REPORT_MS = 1000;

const averages = (stats: NodeStats): Smooth => ({
  overMs: REPORT_MS,
  events: stats.deliveredPerSecond,
  bytes: stats.bytesPerSecond,
  cpu: stats.cpu,
});

/** Averages reach back to the last plan, but no further than about this. */
const AVERAGE_MS = 60_000;

function blend(before: Smooth, stats: NodeStats, elapsedMs: number): Smooth {
  const overMs = Math.min(AVERAGE_MS, before.overMs + elapsedMs);
  const share = Math.min(1, elapsedMs / overMs);
  return {
    overMs,
    events: before.events + (stats.deliveredPerSecond - before.events) * share,
    bytes: before.bytes + (stats.bytesPerSecond - before.bytes) * share,
    cpu: before.cpu + (stats.cpu - before.cpu) * share,
  };
}

const fresh = (stats: NodeStats, nowMs: number): Entry => ({
  stats,
  smooth: averages(stats),
  isNew: false,
  shown: undefined,
  seenAtMs: nowMs,
  bootSeenAtMs: nowMs,
  stateSinceMs: nowMs,
  reports: 1,
});
