import {
  Hearing,
  hasAge,
  NodeClocks,
  type NodePhase,
  type NodeReport,
  NodeReports,
  type Observation,
  phaseOf,
} from '@evenkeel/cluster';
import type { NodeStats } from '@evenkeel/protocol';

/**
 * How long the last view stands while no node at all is heard, ms: that is RabbitMQ's trouble or this gateway's own, and edges that are
 * not heard go on serving. Tickets need no broker.
 */
export const viewKeptMs = 3_600_000;

/** Nodes known at most; statistics of a further one are ignored. */
const maxNodes = 2_000;

/** A node as placement sees it. */
export interface KnownNode {
  readonly stats: NodeStats;
  /** As it is shown: what it says of itself, and `suspect` or `gone` by the ages that the balancer has too. */
  readonly phase: NodePhase;
  /** Nothing was heard for so long that nobody is sent there. */
  readonly isSilent: boolean;
  /**
   * A report is overdue, many clients say that they have lost it, or its clock is off: others are better while there are any.
   */
  readonly isDoubtful: boolean;
}

/**
 * Users that have to come back from a node between two of its reports for it to be in doubt: this many, and
 * this part of its connections. Fewer is one user's own network.
 */
const doubt = { users: 3, part: 0.01, maxUsers: 1_000 };
/**
 * What clients say only hastens what the node's silence says: it counts from this age of its last report, ms. A node that reports
 * on time is there, whoever says otherwise.
 */
const overdueMs = 1_500;

/** The nodes that clients may be placed on: their last statistics, and who has lost them since. Takes the time as an argument. */
export class Placements {
  readonly clocks = new NodeClocks();
  readonly #reports = new NodeReports({ maxNodes, dropAt: 'gone' });
  /** Its clock is that of `#reports`: when nobody is heard the last view stands. */
  readonly #hearing = new Hearing(viewKeptMs);
  readonly #seenAtMs = new Map<string, number>();
  /** By node, the users that have come back from it since its last report. */
  readonly #returned = new Map<string, Set<string>>();

  observe(stats: NodeStats, nowMs: number): Observation {
    // Also by one that is not believed: it shows that reports arrive.
    this.#hearing.heard(nowMs);
    const seenAtMs = this.#seenAtMs.get(stats.node);
    const silentMs = seenAtMs === undefined ? undefined : nowMs - seenAtMs;
    const observation = this.#reports.observe(stats, this.#hearing.clockMs(nowMs), silentMs);
    if (observation.kind === 'ignored') return observation;
    this.#returned.delete(stats.node);
    this.#seenAtMs.set(stats.node, nowMs);
    this.clocks.observe(stats, nowMs);
    return observation;
  }

  /** It has reported, and is not forgotten. */
  knows(node: string): boolean {
    return this.#reports.get(node) !== undefined;
  }

  /** The time, without the silences of all. */
  clockMs(nowMs: number): number {
    return this.#hearing.clockMs(nowMs);
  }

  /** For how long nobody at all has been heard, ms; undefined while somebody is. */
  silentMs(nowMs: number): number | undefined {
    return this.#hearing.silentMs(nowMs);
  }

  /** `user` says that it was connected to `node` and is no more. The node's next report clears it. */
  returnedFrom(node: string, user: string): void {
    if (this.#reports.get(node) === undefined) return;
    const returned = this.#returned.get(node) ?? new Set();
    this.#returned.set(node, returned);
    if (returned.size < doubt.maxUsers) returned.add(user);
  }

  /** Drops the nodes that have been silent too long and returns their names. */
  forget(nowMs: number): string[] {
    const gone = this.#reports.prune(this.#hearing.clockMs(nowMs));
    for (const node of gone) {
      this.#returned.delete(node);
      this.#seenAtMs.delete(node);
      this.clocks.forget(node);
    }
    return gone;
  }

  /** Every node that is not gone. */
  nodes(nowMs: number): KnownNode[] {
    const clockMs = this.#hearing.clockMs(nowMs);
    const known: KnownNode[] = [];
    for (const name of this.#reports.names) {
      const report = this.#reports.get(name);
      if (report === undefined || hasAge('gone', report.seenAtMs, clockMs)) continue;
      const { stats, seenAtMs } = report;
      known.push({
        stats,
        phase: this.#phaseOf(report, clockMs, nowMs),
        isSilent: hasAge('silent', seenAtMs, clockMs),
        isDoubtful:
          hasAge('late', seenAtMs, clockMs) ||
          (clockMs - seenAtMs >= overdueMs && this.#isLostByMany(report)) ||
          this.clocks.isOff(name),
      });
    }
    return known;
  }

  #phaseOf({ stats, seenAtMs }: NodeReport, clockMs: number, nowMs: number): NodePhase {
    // Clients are sent here from the first report on: none is joining.
    const reports = Number.POSITIVE_INFINITY;
    // One that said that it leaves has left when it falls silent, whoever else is heard.
    return stats.state === 'draining'
      ? phaseOf(stats.state, reports, this.#seenAtMs.get(stats.node) ?? nowMs, nowMs)
      : phaseOf(stats.state, reports, seenAtMs, clockMs);
  }

  #isLostByMany({ stats }: NodeReport): boolean {
    const crowd = Math.min(doubt.maxUsers, Math.max(doubt.users, stats.connections * doubt.part));
    return (this.#returned.get(stats.node)?.size ?? 0) >= crowd;
  }
}
