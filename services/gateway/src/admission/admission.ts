import type { TokenBucket } from '@evenkeel/pace';
import type { NodeStats } from '@evenkeel/protocol';
import { type Ceiling, type CeilingRules, fullCeiling, isAiling, nextCeiling } from './ceiling.js';
import { RecentUsers } from './recent-users.js';
import { isFree, setSlots, slotsOf } from './slots.js';
import { WaitingList } from './waiting-list.js';

/** Limits of admission; rates of this gateway alone. */
export interface AdmissionRules {
  ceiling: CeilingRules;
  /** New sessions a second over all edges: each costs the broker two metadata writes. */
  newSessionsPerSecond: number;
}

/**
 * Admission slots: how many clients a second may be sent to each edge, following how its handshakes fare,
 * and how many may open a new session. Takes time and randomness as arguments.
 */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #edges = new Map<string, { slots: TokenBucket; ceiling: Ceiling }>();
  readonly #newSessions: TokenBucket;
  readonly #recent = new RecentUsers();
  readonly #returning = new WaitingList();
  readonly #arriving = new WaitingList();

  constructor(rules: AdmissionRules, nowMs: number) {
    this.#rules = rules;
    this.#newSessions = slotsOf(rules.newSessionsPerSecond, nowMs);
  }

  /** Takes in how `stats.node` fares. */
  observe(stats: NodeStats, nowMs: number): void {
    const edge = this.#edge(stats.node, nowMs);
    edge.ceiling = nextCeiling(edge.ceiling, stats, this.#rules.ceiling, nowMs);
    setSlots(edge.slots, edge.ceiling.perSecond, nowMs);
  }

  forget(node: string): void {
    this.#edges.delete(node);
  }

  /** Whether one more of this user may be sent to `node`: a user's second within a second leaves half of a burst to the others. */
  hasSlot(node: string, uid: string, nowMs: number): boolean {
    const { slots, ceiling } = this.#edge(node, nowMs);
    return isFree(slots, ceiling.perSecond, this.#recent.has(uid, nowMs), nowMs);
  }

  hasNewSessionSlot(uid: string, nowMs: number): boolean {
    const { newSessionsPerSecond } = this.#rules;
    return isFree(this.#newSessions, newSessionsPerSecond, this.#recent.has(uid, nowMs), nowMs);
  }

  take(node: string, uid: string, isNew: boolean, nowMs: number): void {
    this.#edge(node, nowMs).slots.tryTake(nowMs);
    if (isNew) this.#newSessions.tryTake(nowMs);
    this.#recent.add(uid, nowMs);
  }

  ceilingOf(node: string): number {
    return this.#edges.get(node)?.ceiling.perSecond ?? this.#rules.ceiling.base;
  }

  /** The nodes among `nodes` that are far slower than the best of them. */
  ailing(nodes: readonly string[]): ReadonlySet<string> {
    const best = Math.max(0, ...nodes.map((node) => this.ceilingOf(node)));
    return new Set(nodes.filter((node) => isAiling(this.ceilingOf(node), best)));
  }

  /**
   * When a client that is turned away is to come back, in whole seconds. New sessions queue apart from
   * those that come back: theirs is another limit.
   * @param nodes the nodes that take clients; with none, the rate of one is assumed for when one comes.
   */
  retryAfterSeconds(
    nodes: readonly string[],
    client: { readonly uid: string; readonly isNew: boolean },
    nowMs: number,
    random: () => number,
  ): number {
    const { uid, isNew } = client;
    const edges = nodes.reduce((sum, node) => sum + this.ceilingOf(node), 0) || this.#rules.ceiling.base;
    return isNew
      ? this.#arriving.book(uid, nowMs, Math.min(edges, this.#rules.newSessionsPerSecond), random)
      : this.#returning.book(uid, nowMs, edges, random);
  }

  waiting(nowMs: number): number {
    return this.#returning.waiting(nowMs) + this.#arriving.waiting(nowMs);
  }

  #edge(node: string, nowMs: number): { slots: TokenBucket; ceiling: Ceiling } {
    let edge = this.#edges.get(node);
    if (edge === undefined) {
      const ceiling = fullCeiling(this.#rules.ceiling);
      edge = { slots: slotsOf(ceiling.perSecond, nowMs), ceiling };
      this.#edges.set(node, edge);
    }
    return edge;
  }
}
