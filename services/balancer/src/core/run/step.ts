import type { CommandOf, MoveProgress } from '@evenkeel/protocol';
import type { PlanStep, StepProgress } from '../plan/plan.js';
import type { Flow } from './delay.js';

/** What has become of the sessions of a step; `refused` is part of `asked`. */
export interface Counts {
  asked: number;
  done: number;
  failed: number;
  timedOut: number;
  refused: number;
}

/** One command of a step. */
export interface Batch {
  readonly move: string;
  readonly count: number;
  sentAtMs: number;
  resends: number;
  command: CommandOf<'reconnect'>;
  report: MoveProgress | undefined;
  isSettled: boolean;
}

/** One pair of nodes of a running plan. */
export interface Step {
  readonly index: number;
  readonly plan: PlanStep;
  readonly boot: string;
  readonly batches: Batch[];
  readonly flow: Flow;
  /** Number of the next batch. */
  next: number;
  /** Counts of batches that are settled and forgotten. */
  base: Counts;
  isExhausted: boolean;
  dropped: string | undefined;
  /** The source has left or has started anew. */
  hasGone: boolean;
}

export const noCounts = (): Counts => ({ asked: 0, done: 0, failed: 0, timedOut: 0, refused: 0 });

/** Of those asked for: `refused` is part of `asked`. */
export const settledOf = (p: MoveProgress) => p.done + p.failed + p.timedOut;
export const badOf = (p: MoveProgress) => p.failed + p.timedOut;

export function add(sum: Counts, report: MoveProgress): void {
  sum.asked += report.asked;
  sum.done += report.done;
  sum.failed += report.failed;
  sum.timedOut += report.timedOut;
  sum.refused += report.refused;
}

export const countsOf = (p: StepProgress): Counts => ({
  asked: p.asked,
  done: p.done,
  failed: p.failed,
  timedOut: p.timedOut,
  refused: p.refused,
});

/** Everything known of a step: batches forgotten and batches under way. */
export function sumOf(step: Step): Counts {
  const sum = { ...step.base };
  for (const batch of step.batches) if (batch.report !== undefined) add(sum, batch.report);
  return sum;
}

/** Moves asked for and not ended, those counted that no report has mentioned yet. */
export function underWayOf(step: Step): number {
  // One command for all there is: the edge paces it alone.
  if (isWhole(step)) return step.flow.inFlight;
  let sum = 0;
  for (const { count, report, isSettled } of step.batches) {
    if (!isSettled) sum += report === undefined ? count : report.asked - report.refused - settledOf(report);
  }
  return sum;
}

/** One batch: the edge alone knows how many sessions make up a load. */
export const isWhole = (step: Step): boolean => step.plan.load !== undefined;

export const isSettled = (step: Step): boolean =>
  step.batches.length === 0 && (step.isExhausted || step.dropped !== undefined);
