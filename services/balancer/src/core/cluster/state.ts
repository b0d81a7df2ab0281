import {
  Hearing,
  hasAge,
  NodeClocks,
  type NodePhase,
  type NodeReport,
  NodeReports,
  phaseOf,
  reportEveryMs,
  type Traffic,
} from '@evenkeel/cluster';
import type { NodeStats } from '@evenkeel/protocol';
import { GapCount } from './gap-count.js';
import { type Bucket, TrafficSeries } from './series.js';

/** Nodes known at most; reports of a further one are ignored. */
const MAX_NODES = 5000;

/** One node, from its last report. */
export interface NodeView {
  readonly node: string;
  readonly phase: NodePhase;
  readonly stats: NodeStats;
  /** Local time of the last report. */
  readonly seenAtMs: number;
  /** Local time since which the node has reported its present state. */
  readonly stateSinceMs: number;
  /** Sessions that the front keeps on it, at most all it has; plans leave them out. */
  readonly pinned: number;
  /** How far the clock of its host is ahead of the median of all, ms, and whether that is more than is tolerated. */
  readonly clockAheadMs: number;
  readonly isClockOff: boolean;
  readonly traffic: Traffic;
  /** The same, ten seconds by ten seconds. */
  readonly series: readonly Bucket[];
}

/** Whether the node is there, as far as is known. */
export const isHere = (n: NodeView): boolean => n.phase !== 'gone' && n.phase !== 'suspect';

/** Whether the node may be given sessions. */
export const takes = (n: NodeView): boolean => n.phase === 'active';

/** Those of `nodes` that may be given sessions; one whose clock is off only where there is no other. */
export function takersAmong(nodes: readonly NodeView[]): NodeView[] {
  const able = nodes.filter(takes);
  const sure = able.filter((n) => !n.isClockOff);
  return sure.length > 0 ? sure : able;
}

/** Sessions that a plan may move away from the node. */
export const movableOf = (n: NodeView): number => n.stats.sessions - n.pinned;

/** A node that is told to try its pinned sessions again says so within this, ms: earlier reports may be from before. */
const unpinnedWithinMs = 500;

interface Entry {
  seenAtMs: number;
  stateSinceMs: number;
  readonly series: TrafficSeries;
  /** The next report starts the averages anew. */
  isNew: boolean;
  /** What reports from before this time say of pinned sessions does not count. */
  unpinnedUntilMs: number;
  /** The view handed out last; undefined when it is out of date. */
  shown: NodeView | undefined;
}

/** What a report changed. */
export type Change = 'new' | 'reboot' | 'state' | 'returned' | 'none' | 'ignored';

/** The cluster from the nodes' reports. Takes time as an argument; does no I/O. */
export class ClusterState {
  /** How far apart the clocks of nodes are. */
  readonly clocks = new NodeClocks();
  /** What clients were told they missed. */
  readonly gaps = new GapCount();
  readonly #reports: NodeReports;
  /** Its clock is that of `#reports`: when nobody is heard the last view stands. */
  readonly #hearing = new Hearing();
  readonly #entries = new Map<string, Entry>();

  constructor(maxNodes: number = MAX_NODES) {
    this.#reports = new NodeReports({ maxNodes, dropAt: 'forgotten' });
  }

  get size(): number {
    return this.#reports.size;
  }

  /** For how long nobody at all has been heard, ms; undefined while somebody is. */
  silentMs(nowMs: number): number | undefined {
    return this.#hearing.silentMs(nowMs);
  }

  /** Takes one report. Reports that come late, and those of an earlier boot, are ignored. */
  observe(stats: NodeStats, nowMs: number): Change {
    // Also by one that is not believed: it shows that reports arrive.
    this.#hearing.heard(nowMs);
    const clockMs = this.#hearing.clockMs(nowMs);
    const entry = this.#entries.get(stats.node);
    const seen = this.#reports.observe(stats, clockMs, entry && nowMs - entry.seenAtMs);
    if (seen.kind !== 'ignored') {
      this.clocks.observe(stats, nowMs);
      this.gaps.observe(stats, nowMs);
    }
    switch (seen.kind) {
      case 'ignored':
        return 'ignored';
      case 'first':
      case 'restarted':
        this.#entries.set(stats.node, {
          seenAtMs: nowMs,
          stateSinceMs: nowMs,
          series: seriesFrom(stats, nowMs),
          isNew: false,
          unpinnedUntilMs: Number.NEGATIVE_INFINITY,
          shown: undefined,
        });
        return seen.kind === 'first' ? 'new' : 'reboot';
      case 'next': {
        const { stats: before, seenAtMs } = seen.previous;
        this.#measure(stats, before.state !== stats.state, nowMs);
        if (before.state !== stats.state) return 'state';
        return hasAge('suspect', seenAtMs, clockMs) ? 'returned' : 'none';
      }
    }
  }

  /** Forgets the averages: sessions have been moved, and what was measured before says nothing of what is. */
  restartAverages(): void {
    for (const entry of this.#entries.values()) entry.isNew = true;
  }

  /** A node forgets which sessions are pinned, having been told to: all of them count as movable until it reports anew. */
  unpin(node: string, nowMs: number): void {
    const entry = this.#entries.get(node);
    if (entry === undefined) return;
    entry.unpinnedUntilMs = nowMs + unpinnedWithinMs;
    entry.shown = undefined;
  }

  /** Every node known, by name; forgets those gone for long. */
  nodes(nowMs: number): NodeView[] {
    for (const node of this.#reports.prune(this.#hearing.clockMs(nowMs))) {
      this.#entries.delete(node);
      this.clocks.forget(node);
    }
    const out: NodeView[] = [];
    for (const name of this.#reports.names) {
      const node = this.get(name, nowMs);
      if (node !== undefined) out.push(node);
    }
    return out;
  }

  get(node: string, nowMs: number): NodeView | undefined {
    const report = this.#reports.get(node);
    const entry = this.#entries.get(node);
    if (report === undefined || entry === undefined) return undefined;
    return show(report, entry, this.clocks, this.#hearing.clockMs(nowMs), nowMs);
  }

  #measure(stats: NodeStats, isNewState: boolean, nowMs: number): void {
    const entry = this.#entries.get(stats.node);
    if (entry === undefined) return;
    const elapsedMs = nowMs - entry.seenAtMs;
    entry.seenAtMs = nowMs;
    if (isNewState) entry.stateSinceMs = nowMs;
    if (entry.isNew) entry.series.restart();
    entry.series.add(stats, entry.isNew ? reportEveryMs : elapsedMs, nowMs);
    entry.isNew = false;
    entry.shown = undefined;
  }
}

function seriesFrom(stats: NodeStats, nowMs: number): TrafficSeries {
  const series = new TrafficSeries();
  series.add(stats, reportEveryMs, nowMs);
  return series;
}

function show(
  report: NodeReport,
  entry: Entry,
  clocks: NodeClocks,
  clockMs: number,
  nowMs: number,
): NodeView {
  const { stats, reports } = report;
  const { seenAtMs, stateSinceMs } = entry;
  // One that said that it leaves has left when it falls silent, whoever else is heard.
  const phase =
    stats.state === 'draining'
      ? phaseOf(stats.state, reports, seenAtMs, nowMs)
      : phaseOf(stats.state, reports, report.seenAtMs, clockMs);
  if (entry.shown?.phase === phase) return entry.shown;
  const pinned = seenAtMs <= entry.unpinnedUntilMs ? 0 : Math.min(stats.pinned ?? 0, stats.sessions);
  const { buckets } = entry.series;
  const measured = { traffic: entry.series.mean(), series: [...buckets] };
  const { node } = stats;
  const clock = { clockAheadMs: Math.round(clocks.aheadMs(node)), isClockOff: clocks.isOff(node) };
  entry.shown = { node, phase, stats, seenAtMs, stateSinceMs, pinned, ...clock, ...measured };
  return entry.shown;
}
