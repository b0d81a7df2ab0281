/** What operators want empty, and what came of it so far. */
import { isHere, movableOf, type NodeView } from '../cluster/state.js';
import { listed, type Plan } from './plan.js';

/** A node that an operator wants empty. */
export interface DrainGoal {
  readonly node: string;
  readonly boot: string;
  readonly by: string;
  readonly endsBy?: number;
  /** Once only pinned sessions are left, their sockets are closed, so many a second. */
  readonly closesPerSecond?: number;
  /** The process has been empty, or leaves by itself: one that follows it under its name is not meant any more. */
  readonly isMet?: true;
  /** Its deadline has passed with so many left; nothing more is done. */
  readonly ended?: { readonly at: number; readonly left: number };
}

/** Plans that left sessions on a node behind. */
export interface DrainAttempts {
  readonly count: number;
  readonly lastAtMs: number;
}

export type DrainGoals = ReadonlyMap<string, DrainGoal>;

/** Whether the node is to be emptied: it says so itself, or an operator does and placement knows. */
export function isDraining(n: NodeView, goals: DrainGoals): boolean {
  if (n.phase === 'draining') return true;
  const goal = goals.get(n.node);
  return n.phase === 'cordoned' && goal?.boot === n.stats.boot && goal.ended === undefined;
}

/**
 * What has become of a goal; undefined when it concerns nobody any more. It stands until it is met, withdrawn or overdue: that
 * nothing is heard of the node, or that its process is another, ends it no more than a change of the leader does.
 */
export function reviewed(goal: DrainGoal, n: NodeView | undefined, nowMs: number): DrainGoal | undefined {
  let next = goal;
  if (n !== undefined && isHere(n) && n.stats.boot !== goal.boot) {
    if (goal.isMet === true || goal.ended !== undefined) return undefined;
    next = { ...next, boot: n.stats.boot };
  }
  if (next.ended !== undefined) return next;
  if (next.isMet !== true && n !== undefined && n.stats.boot === goal.boot) {
    const isEmpty = n.phase === 'cordoned' && n.stats.sessions === 0;
    if (isEmpty || n.stats.state === 'draining') next = { ...next, isMet: true };
  }
  if (next.endsBy === undefined || nowMs <= next.endsBy) return next;
  return { ...next, ended: { at: nowMs, left: n?.stats.sessions ?? 0 } };
}

/** A node that must be emptied now and that the running plan does not empty: it cannot wait for levelling to end. */
export function urgentDrain(
  plan: Plan,
  nodes: readonly NodeView[],
  goals: DrainGoals,
  hasGivenUp: (n: NodeView) => boolean,
): NodeView | undefined {
  const drains = plan.drains ?? plan.steps.map((s) => s.from);
  const isPlanned = new Set(plan.kind === 'drain' ? drains : []);
  return nodes.find(
    (n) => isDraining(n, goals) && movableOf(n) > 0 && !isPlanned.has(n.node) && !hasGivenUp(n),
  );
}

/** Who wants these nodes empty: operators, and `auto` for those that say so themselves. */
export function drainedBy(nodes: readonly string[], goals: DrainGoals): string {
  return listed(new Set(nodes.map((node) => goals.get(node)?.by ?? 'auto')));
}

/** How far the emptying of a node is. */
export interface DrainStatus {
  readonly by: string;
  readonly endsBy?: number;
  /** It was overdue then: nothing more is done. */
  readonly endedAt?: number;
  /** `stayed`: there is nothing more to do about those left, unless something changes; `why` says why. */
  readonly state: 'under-way' | 'empty' | 'stayed';
  readonly why?: string;
}

/** What there is to say of a node that is to be empty, while no plan moves anybody from it. */
export function drainStatus(
  n: NodeView,
  goal: DrainGoal | undefined,
  { hasGivenUp, hasNoRoom }: { hasGivenUp: boolean; hasNoRoom: boolean },
): DrainStatus {
  const about = {
    by: goal?.by ?? 'auto',
    ...(goal?.endsBy === undefined ? {} : { endsBy: goal.endsBy }),
    ...(goal?.ended === undefined ? {} : { endedAt: goal.ended.at }),
  };
  if (n.stats.sessions === 0) return { ...about, state: 'empty' };
  if (goal?.ended !== undefined) return { ...about, state: 'stayed', why: 'its deadline has passed' };
  const movable = movableOf(n);
  const isToClose = n.pinned > 0 && goal?.closesPerSecond !== undefined;
  const isStuck = movable === 0 || hasGivenUp;
  if (isStuck ? isToClose : !hasNoRoom) return { ...about, state: 'under-way' };
  const parts = [
    ...(n.pinned > 0 ? [`${n.pinned} pinned by the front`] : []),
    ...(movable > 0 && hasGivenUp ? [`${movable} did not move, however often they were asked`] : []),
    ...(movable > 0 && !hasGivenUp && hasNoRoom ? [`no active node has room for ${movable}`] : []),
  ];
  return { ...about, state: 'stayed', why: parts.join(', ') };
}

export const attemptKey = (n: NodeView): string => `${n.node}.${n.stats.boot}`;

/** Processes whose attempts are remembered; when there are more, all are forgotten and begin anew. */
const MAX_ATTEMPTS = 10_000;

/** Plans that left sessions behind, by node and boot. */
export class AttemptLog {
  readonly #attempts = new Map<string, DrainAttempts>();

  get all(): ReadonlyMap<string, DrainAttempts> {
    return this.#attempts;
  }

  add(n: NodeView, nowMs: number): void {
    const key = attemptKey(n);
    const count = (this.#attempts.get(key)?.count ?? 0) + 1;
    if (this.#attempts.size >= MAX_ATTEMPTS && count === 1) this.#attempts.clear();
    this.#attempts.set(key, { count, lastAtMs: nowMs });
  }

  /** Nobody is to be moved from it any more, until something changes. */
  giveUp(n: NodeView, nowMs: number): void {
    this.#attempts.set(attemptKey(n), { count: Number.POSITIVE_INFINITY, lastAtMs: nowMs });
  }

  forgive(key: string): void {
    this.#attempts.delete(key);
  }
}
