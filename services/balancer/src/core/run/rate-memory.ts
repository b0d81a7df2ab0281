import type { NodeView } from '../cluster/state.js';
import type { PaceMemory } from './node-rate.js';

/** A pace found out is where the next plan starts, if it comes this soon: the machine may be another by then. */
const KEPT_MS = 30_000;

/** What the last plans have found out about the pace that each node's process bears. */
export class RateMemory {
  readonly #kept = new Map<string, PaceMemory & { boot: string; untilMs: number }>();

  keep(
    found: readonly [string, PaceMemory][],
    view: (node: string) => NodeView | undefined,
    nowMs: number,
  ): void {
    for (const [node, { untilMs }] of this.#kept) if (untilMs < nowMs) this.#kept.delete(node);
    for (const [node, memory] of found) {
      const boot = view(node)?.stats.boot;
      if (boot !== undefined) this.#kept.set(node, { ...memory, boot, untilMs: nowMs + KEPT_MS });
    }
  }

  /** What is known of this process; undefined when it is another, or the time is over. */
  of(node: NodeView | undefined, nowMs: number): PaceMemory | undefined {
    const kept = node === undefined ? undefined : this.#kept.get(node.node);
    return kept !== undefined && kept.untilMs >= nowMs && kept.boot === node?.stats.boot ? kept : undefined;
  }
}
