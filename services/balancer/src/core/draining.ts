import { movableOf, type NodeView, takes } from './cluster/state.js';
import {
  AttemptLog,
  attemptKey,
  type DrainAttempts,
  type DrainGoal,
  type DrainStatus,
  drainedBy,
  drainStatus,
  isDraining,
  reviewed,
  urgentDrain,
} from './plan/drains.js';
import type { Plan, PlanStep } from './plan/plan.js';
import type { Policy } from './plan/policy.js';
import { Hold } from './run/hold.js';
import type { Outgoing, PlanRun } from './run/run.js';

/** Nodes that are to be empty: what operators want, what came of it, and whom to keep waiting. */
export class Draining {
  readonly goals = new Map<string, DrainGoal>();
  readonly #policy: Pick<Policy, 'hasGivenUp' | 'hasNoRoom'>;
  readonly #attempts = new AttemptLog();
  readonly #hold = new Hold();
  readonly #log: (event: string, fields: object) => void;

  constructor(
    policy: Pick<Policy, 'hasGivenUp' | 'hasNoRoom'>,
    log: (event: string, fields: object) => void,
  ) {
    this.#policy = policy;
    this.#log = log;
  }

  get attempts(): ReadonlyMap<string, DrainAttempts> {
    return this.#attempts.all;
  }

  /** An operator asks again for what was given up. */
  forgive(key: string): void {
    this.#attempts.forgive(key);
  }

  /** Looks what has become of the goals. Returns whether any has changed. */
  review(nodeOf: (name: string) => NodeView | undefined, nowMs: number): boolean {
    let hasChanged = false;
    for (const goal of [...this.goals.values()]) {
      const n = nodeOf(goal.node);
      const next = reviewed(goal, n, nowMs);
      if (next === goal) continue;
      hasChanged = true;
      if (next === undefined) this.goals.delete(goal.node);
      else this.#keep(next, goal, n);
    }
    return hasChanged;
  }

  /** An operator does not want it empty any more. */
  withdraw(node: string, by: string): void {
    const goal = this.goals.get(node);
    if (goal === undefined) return;
    this.goals.delete(node);
    if (goal.ended === undefined) this.#ended(goal, 'withdrawn', { withdrawnBy: by });
  }

  /** An operator has aborted the plan that empties these: nothing more is done about them. Returns whose goal is withdrawn. */
  abandon(nodes: readonly NodeView[], by: string, nowMs: number): string[] {
    const withdrawn = nodes.filter(({ node }) => this.goals.has(node)).map(({ node }) => node);
    for (const n of nodes) if (n.phase === 'draining') this.#attempts.giveUp(n, nowMs);
    for (const node of withdrawn) this.withdraw(node, by);
    return withdrawn;
  }

  urgent(plan: Plan, nodes: readonly NodeView[]): NodeView | undefined {
    return urgentDrain(plan, nodes, this.goals, (n) => this.#hasGivenUp(n));
  }

  /** How far the emptying of a node is; undefined where nobody wants it empty. */
  statusOf(n: NodeView, run: PlanRun | undefined): DrainStatus | undefined {
    const goal = this.goals.get(n.node);
    const isMeant = goal?.boot === n.stats.boot;
    if (!isMeant && !isDraining(n, this.goals)) return undefined;
    if (n.stats.sessions > 0 && run?.isMoving(n.node) === true)
      return { by: drainedBy([n.node], this.goals), state: 'under-way' };
    return drainStatus(n, goal, {
      hasGivenUp: this.#hasGivenUp(n),
      hasNoRoom: this.#policy.hasNoRoom(n.node),
    });
  }

  /** Holds edges that shut down and that nobody is moved from at present, while there are nodes that may yet have room. */
  hold(
    nodes: readonly NodeView[],
    run: PlanRun | undefined,
    send: (node: string, command: Outgoing) => void,
    nowMs: number,
  ): void {
    const isWaiting = (n: NodeView) =>
      n.phase === 'draining' && movableOf(n) > 0 && !this.#hasGivenUp(n) && run?.isMoving(n.node) !== true;
    const waiting = nodes.some(takes) ? nodes.filter(isWaiting) : [];
    this.#hold.tick(waiting, send, nowMs);
  }

  /** A plan has left some behind on these nodes. */
  failed(nodes: readonly NodeView[], nowMs: number): void {
    for (const node of nodes) this.#attempts.add(node, nowMs);
  }

  /** What was pinned has been closed. Once is enough: whom the front brings back again stays. */
  closed(steps: readonly PlanStep[]): void {
    for (const { from, closesPerSecond } of steps) {
      const goal = this.goals.get(from);
      if (closesPerSecond === undefined || goal === undefined) continue;
      const { closesPerSecond: _, ...rest } = goal;
      this.goals.set(from, rest);
    }
  }

  #keep(next: DrainGoal, before: DrainGoal, n: NodeView | undefined): void {
    this.goals.set(next.node, next);
    const { node, boot } = next;
    if (boot !== before.boot) this.#log('drain goes on with another process', { node, boot });
    if (next.ended !== undefined)
      this.#ended(next, next.isMet ? 'met' : 'overdue', { left: next.ended.left });
    else if (next.isMet && !before.isMet && n?.stats.state === 'cordoned') this.#ended(next, 'met', {});
  }

  #ended({ node, by }: DrainGoal, how: 'met' | 'withdrawn' | 'overdue', more: object): void {
    this.#log('drain ended', { node, by, how, ...more });
  }

  #hasGivenUp(n: NodeView): boolean {
    return this.#policy.hasGivenUp(this.#attempts.all.get(attemptKey(n)));
  }
}
