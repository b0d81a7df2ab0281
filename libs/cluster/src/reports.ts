import type { NodeStats } from '@evenkeel/protocol';
import { hasAge, type NodeAge, nodeAgesMs } from './liveness.js';

/** The last statistics of a node's present process. Times are the observer's. */
export interface NodeReport {
  readonly stats: NodeStats;
  readonly seenAtMs: number;
  /** Since when it has reported its present state. */
  readonly stateSinceMs: number;
  /** Reports heard of this process. */
  readonly reports: number;
}

/** What one message of statistics meant. */
export type Observation =
  /** Out of order, of a process that has been replaced, or of one node too many. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'first'; readonly report: NodeReport }
  | { readonly kind: 'restarted'; readonly report: NodeReport; readonly previous: NodeReport }
  | { readonly kind: 'next'; readonly report: NodeReport; readonly previous: NodeReport };

export interface NodeReportsOptions {
  /** Nodes known at most; statistics of a further one are ignored. */
  maxNodes: number;
  /** The age at which a silent node is dropped. */
  dropAt: NodeAge;
}

const ignored: Observation = { kind: 'ignored' };

/** Another process has a node's name once it has been heard for this long, ms, and the present one has not meanwhile. */
const succeedsAfterMs = 1_300;
/** Reports a second that no process exceeds; one further ahead by its `seq` is not from it. */
const mostPerSecond = 20;
const mostAhead = 100;

/** A process that uses the name of a node whose present one was heard not long ago. */
interface Claimant {
  readonly boot: string;
  readonly sinceMs: number;
}

/**
 * The last report of every node. No single message replaces a node. One that arrives late changes nothing: not one with a lower
 * `seq`, and not one of an earlier process while the present one is heard (the process that it replaced, or one that sent it
 * before the last report by the edge's clock). A foreign one changes nothing either: another process has the name when it has
 * reported for a while in which the present one has not, or when that one is silent, or has said that it leaves. Takes the time
 * as an argument.
 */
export class NodeReports {
  readonly #options: NodeReportsOptions;
  readonly #reports = new Map<string, NodeReport>();
  /** By node, the boot that the present one has replaced. */
  readonly #replaced = new Map<string, string>();
  /** By node, the process that may have replaced the present one. */
  readonly #claimants = new Map<string, Claimant>();
  #names: readonly string[] | undefined;

  constructor(options: NodeReportsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#reports.size;
  }

  /** Names of the nodes, sorted. */
  get names(): readonly string[] {
    this.#names ??= [...this.#reports.keys()].sort();
    return this.#names;
  }

  get(node: string): NodeReport | undefined {
    return this.#reports.get(node);
  }

  /**
   * Takes one message. @param silentMs how long the node has really been silent, where `nowMs` is a clock that has stood still:
   * what came to an end meanwhile has a successor at once.
   */
  observe(stats: NodeStats, nowMs: number, silentMs?: number): Observation {
    const { node } = stats;
    let previous = this.#reports.get(node);
    if (previous !== undefined && hasAge(this.#options.dropAt, previous.seenAtMs, nowMs)) {
      this.#drop(node);
      previous = undefined;
    }
    if (previous === undefined) {
      if (this.#reports.size >= this.#options.maxNodes) return ignored;
      this.#names = undefined;
      return { kind: 'first', report: this.#keep(first(stats, nowMs)) };
    }
    if (previous.stats.boot !== stats.boot) {
      const isHeard = (silentMs ?? nowMs - previous.seenAtMs) < nodeAgesMs.suspect;
      if (isHeard && !this.#succeeds(stats, previous, nowMs)) return ignored;
      this.#claimants.delete(node);
      this.#replaced.set(node, previous.stats.boot);
      return { kind: 'restarted', report: this.#keep(first(stats, nowMs)), previous };
    }
    const ahead = stats.seq - previous.stats.seq;
    if (ahead <= 0 || ahead > mostAhead + ((nowMs - previous.seenAtMs) / 1_000) * mostPerSecond)
      return ignored;
    // It lives: whoever else has its name is not its successor.
    this.#claimants.delete(node);
    const report = this.#keep({
      stats,
      seenAtMs: nowMs,
      stateSinceMs: previous.stats.state === stats.state ? previous.stateSinceMs : nowMs,
      reports: previous.reports + 1,
    });
    return { kind: 'next', report, previous };
  }

  /** Drops the nodes that have been silent too long and returns their names. */
  prune(nowMs: number): string[] {
    const dropped: string[] = [];
    for (const [node, { seenAtMs }] of this.#reports)
      if (hasAge(this.#options.dropAt, seenAtMs, nowMs)) dropped.push(node);
    for (const node of dropped) this.#drop(node);
    return dropped;
  }

  /** Whether another process, which reports now, has the place of one that was heard not long ago. */
  #succeeds(stats: NodeStats, previous: NodeReport, nowMs: number): boolean {
    const { node, boot } = stats;
    if (this.#replaced.get(node) === boot || stats.at < previous.stats.at) return false;
    if (previous.stats.state === 'draining') return true;
    const claimant = this.#claimants.get(node);
    if (claimant?.boot === boot) return nowMs - claimant.sinceMs >= succeedsAfterMs;
    this.#claimants.set(node, { boot, sinceMs: nowMs });
    return false;
  }

  #keep(report: NodeReport): NodeReport {
    this.#reports.set(report.stats.node, report);
    return report;
  }

  #drop(node: string): void {
    this.#reports.delete(node);
    this.#replaced.delete(node);
    this.#claimants.delete(node);
    this.#names = undefined;
  }
}

const first = (stats: NodeStats, nowMs: number): NodeReport => ({
  stats,
  seenAtMs: nowMs,
  stateSinceMs: nowMs,
  reports: 1,
});
