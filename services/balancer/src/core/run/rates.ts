import type { NodeView } from '../cluster/state.js';
import type { MoveDelay } from './delay.js';
import { NodeRate, type PaceMemory, type PaceOptions } from './node-rate.js';

/** What became of moves to a node, in all and since its last report. */
export interface Judged {
  settled: number;
  bad: number;
  recent: number;
  recentBad: number;
}

/** The rate of every node that a plan concerns, fed by its reports and by what becomes of its moves. */
export class NodeRates {
  readonly #options: PaceOptions;
  readonly #remembered: (node: string) => PaceMemory | undefined;
  readonly #rates = new Map<string, NodeRate>();
  readonly #fed = new Map<string, number>();
  readonly #judged = new Map<string, Judged>();

  /** `remembered`: what the plan before has found out about a node. */
  constructor(options: PaceOptions, remembered: (node: string) => PaceMemory | undefined) {
    this.#options = options;
    this.#remembered = remembered;
  }

  of(node: string, nowMs: number): NodeRate {
    let rate = this.#rates.get(node);
    if (rate === undefined) {
      rate = new NodeRate(this.#options, nowMs, this.#remembered(node));
      this.#rates.set(node, rate);
    }
    return rate;
  }

  judged(node: string): Judged {
    let judged = this.#judged.get(node);
    if (judged === undefined) {
      judged = { settled: 0, bad: 0, recent: 0, recentBad: 0 };
      this.#judged.set(node, judged);
    }
    return judged;
  }

  /** Moves to `node` have settled, `bad` of them badly. */
  count(node: string, settled: number, bad: number): void {
    const judged = this.judged(node);
    judged.settled += settled;
    judged.bad += bad;
    judged.recent += settled;
    judged.recentBad += bad;
  }

  /** Takes each node's latest report, once. */
  feed(view: (node: string) => NodeView | undefined, nowMs: number): void {
    for (const [node, rate] of this.#rates) {
      const seen = view(node);
      if (seen === undefined || this.#fed.get(node) === seen.stats.seq) continue;
      this.#fed.set(node, seen.stats.seq);
      const judged = this.judged(node);
      const { stats } = seen;
      rate.feed(
        {
          handshakeP99Ms: stats.handshakeP99Ms,
          loopLagP99Ms: stats.loopLagP99Ms,
          unackedPerSession: stats.sessions === 0 ? 0 : stats.unacked / stats.sessions,
          failedRatio: judged.recent < 10 ? 0 : judged.recentBad / judged.recent,
        },
        nowMs,
      );
      judged.recent = 0;
      judged.recentBad = 0;
    }
  }

  /**
   * Takes what is known of the moves of each pair of nodes. A node is judged by the best of its pairs: where only some
   * are slow, the other end is to blame.
   */
  steer(pairs: readonly { from: string; to: string; delay: MoveDelay }[], nowMs: number): void {
    const seen = new Map<string, { delayMs: number; isMeasured: boolean; settledPerSecond: number }>();
    for (const { from, to, delay } of pairs) {
      const delayMs = delay.delayMs(nowMs);
      if (delayMs === undefined) continue;
      const settledPerSecond = delay.settledPerSecond(nowMs);
      for (const node of [from, to]) {
        const other = seen.get(node);
        if (other === undefined) seen.set(node, { delayMs, isMeasured: delay.isMeasured, settledPerSecond });
        else {
          other.settledPerSecond += settledPerSecond;
          const isBetter = delay.isMeasured === other.isMeasured ? delayMs < other.delayMs : delay.isMeasured;
          if (isBetter) Object.assign(other, { delayMs, isMeasured: delay.isMeasured });
        }
      }
    }
    for (const [node, sample] of seen) this.of(node, nowMs).flow(sample, nowMs);
  }

  /** What was found out, by node. */
  memories(): [string, PaceMemory][] {
    return [...this.#rates].map(([node, rate]) => [node, rate.memory]);
  }
}
