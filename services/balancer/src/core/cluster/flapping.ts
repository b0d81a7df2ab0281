/** Damping after RFC 2439: every restart costs, the cost decays, and a node over the limit is left alone. */

const COST = 1000;
const SUPPRESS = 2500;
const REUSE = 1000;
const MAX = 8000;
const HALF_LIFE_MS = 60_000;
/** Tells which nodes come and go so often that giving them sessions would only move these twice. */
export class Flapping {
  readonly #entries = new Map<string, { penalty: number; atMs: number; isHeld: boolean }>();

  /** A node has rebooted, vanished or come back without having announced it. */
  strike(node: string, nowMs: number): void {
    const penalty = Math.min(MAX, this.#penalty(node, nowMs) + COST);
    const isHeld = penalty > SUPPRESS || (this.#entries.get(node)?.isHeld ?? false);
    this.#entries.set(node, { penalty, atMs: nowMs, isHeld });
  }

  /** Nodes left alone at present. */
  held(nowMs: number): Set<string> {
    const out = new Set<string>();
    for (const [node, entry] of this.#entries) {
      const penalty = this.#penalty(node, nowMs);
      if (penalty < REUSE) entry.isHeld = false;
      if (penalty < 10) this.#entries.delete(node);
      if (entry.isHeld) out.add(node);
    }
    return out;
  }

  #penalty(node: string, nowMs: number): number {
    const entry = this.#entries.get(node);
    if (entry === undefined) return 0;
    return entry.penalty * 0.5 ** ((nowMs - entry.atMs) / HALF_LIFE_MS);
  }
}
