import type { PlanKind } from '../plan/plan.js';
import { leftOf } from './batch.js';
import type { PlanRun } from './run.js';

/** Plans remembered; the oldest goes. */
const mostPlans = 100;
/** Pairs of nodes remembered of all of them together: so many fit a message that is written with each change. */
const mostPairs = 5_000;

/** A plan that is over. */
export interface PastPlan {
  readonly id: string;
  readonly kind: PlanKind;
  readonly state: string;
  readonly why: string;
  readonly outcome: string;
  readonly by: string;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Of those that failed: brought back by the front. */
  readonly pinned: number;
  readonly timedOut: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly moved: readonly { from: string; to: string; done: number }[];
}

/** The plans before with one more. Of the older ones it is forgotten who went where, once there is too much of that. */
export function remember(before: readonly PastPlan[], past: PastPlan): PastPlan[] {
  let left = mostPairs;
  const kept: PastPlan[] = [];
  for (const plan of [...before, past].slice(-mostPlans).reverse()) {
    left -= plan.moved.length;
    kept.push(left >= 0 || plan === past ? plan : { ...plan, moved: [] });
  }
  return kept.reverse();
}

/** The newest plan that has moved anybody; where none has, the newest. */
export const lastThatMoved = (history: readonly PastPlan[]): PastPlan | undefined =>
  history.findLast(({ done }) => done > 0) ?? history.at(-1);

/** Whether a plan that was to level has brought that nearer. Whoever has left need not be moved; but where all that were asked do so, nothing comes of asking. */
export function hasHelped(past: PastPlan, hasFilled: boolean): boolean {
  const wanted = past.total - leftOf(past);
  return (past.total === 0 && !hasFilled) || (wanted > 0 && (past.done + past.pinned) * 2 >= wanted);
}

/** What is remembered of a plan that has just ended. */
export function pastPlan(run: PlanRun, nowMs: number): PastPlan {
  const progress = run.progress();
  const sum = (key: 'done' | 'failed' | 'pinned' | 'timedOut') =>
    progress.reduce((all, step) => all + step[key], 0);
  return {
    id: run.plan.id,
    kind: run.plan.kind,
    state: run.state,
    why: run.plan.why,
    outcome: run.outcome,
    by: run.plan.by,
    total: run.plan.total,
    done: sum('done'),
    failed: sum('failed'),
    pinned: sum('pinned'),
    timedOut: sum('timedOut'),
    startedAt: run.plan.startedAt,
    endedAt: nowMs,
    // Whose socket was closed has gone nowhere from where it could be moved back.
    moved: progress
      .filter((_, i) => run.plan.steps[i]?.closesPerSecond === undefined)
      .map(({ from, to, done }) => ({ from, to, done })),
  };
}
