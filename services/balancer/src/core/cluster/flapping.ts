/** Damping after RFC 2439: every restart costs, the cost decays, and a node over the limit is left alone. */

const COST = 1000;
const SUPPRESS = 2500;
const REUSE = 1000;
const MAX = 8000;
const HALF_LIFE_MS = 60_000;
/** Nobody at all was heard for this long: that is this observer's connection, or the broker. */
const DEAF_MS = 2_500;
/** Until every node has spoken again. */
const EVERYBODY_MS = 3_000;

/** Tells which nodes come and go so often that giving them sessions would only move these twice. */
export class Flapping {
  readonly #entries = new Map<string, { penalty: number; atMs: number; isHeld: boolean }>();

  #heardAtMs = Number.NEGATIVE_INFINITY;
  #deafUntilMs = Number.NEGATIVE_INFINITY;

  /** A report has come, whosever. */
  heard(nowMs: number): void {
    if (nowMs - this.#heardAtMs >= DEAF_MS) this.#deafUntilMs = nowMs + EVERYBODY_MS;
    this.#heardAtMs = nowMs;
  }

  /** A node is heard again that was silent; not its doing when nobody was heard. */
  returned(node: string, nowMs: number): void {
    if (nowMs >= this.#deafUntilMs) this.strike(node, nowMs);
  }

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
