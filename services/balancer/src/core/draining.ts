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
  isOver,
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

  constructor(policy: Pick<Policy, 'hasGivenUp' | 'hasNoRoom'>) {
    this.#policy = policy;
  }

  get attempts(): ReadonlyMap<string, DrainAttempts> {
    return this.#attempts.all;
  }

  /** An operator asks again for what was given up. */
  forgive(key: string): void {
    this.#attempts.forgive(key);
  }

  /** Drops the goals that need no more doing. */
  expire(node: (name: string) => NodeView | undefined, nowMs: number): void {
    for (const goal of this.goals.values())
      if (isOver(goal, node(goal.node), nowMs)) this.goals.delete(goal.node);
  }

  urgent(plan: Plan, nodes: readonly NodeView[]): NodeView | undefined {
    return urgentDrain(plan, nodes, this.goals, (n) => this.#hasGivenUp(n));
  }

  /** How far the emptying of a node is; undefined where nobody wants it empty. */
  statusOf(n: NodeView, run: PlanRun | undefined): DrainStatus | undefined {
    if (!isDraining(n, this.goals)) return undefined;
    if (n.stats.sessions > 0 && run?.isMoving(n.node) === true)
      return { by: drainedBy([n.node], this.goals), state: 'under-way' };
    return drainStatus(n, this.goals.get(n.node), {
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

  #hasGivenUp(n: NodeView): boolean {
    return this.#policy.hasGivenUp(this.#attempts.all.get(attemptKey(n)));
  }
}
