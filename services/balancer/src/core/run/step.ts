import type { MoveProgress } from '@evenkeel/protocol';
import type { PlanStep, StepProgress } from '../plan/plan.js';
import { type Batch, pinnedOf, settledOf } from './batch.js';
import { MoveDelay } from './delay.js';

/** What has become of the sessions of a step; `refused` is part of `asked`. */
export interface Counts {
  asked: number;
  done: number;
  failed: number;
  /** Part of `failed`: the front has brought them back. */
  pinned: number;
  timedOut: number;
  refused: number;
}

/** One pair of nodes of a running plan. */
export interface Step {
  readonly index: number;
  readonly plan: PlanStep;
  /** The process that its sessions are on; one that comes later knows nothing of the plan. */
  readonly boot: string;
  readonly batches: Batch[];
  readonly delay: MoveDelay;
  /** Number of the next batch. */
  next: number;
  /** Counts of batches that are settled and forgotten. */
  base: Counts;
  isExhausted: boolean;
  dropped: string | undefined;
  /** The source has left or has started anew. */
  hasGone: boolean;
}

/** What must outlive the leader. Batch ids follow from it, so a repeat of one is recognised by the edge. */
export interface StepSnapshot {
  readonly boot: string;
  /** Batches all of whose moves are settled. */
  readonly settledBatches: number;
  readonly progress: StepProgress;
}

/** A step that begins, or goes on from where the leader before has left it. @param boot of its source. */
export function makeStep(plan: PlanStep, index: number, boot: string, saved?: StepSnapshot): Step {
  const settledBatches = saved?.settledBatches ?? 0;
  return {
    index,
    plan,
    boot: saved?.boot ?? boot,
    batches: [],
    delay: new MoveDelay(),
    next: settledBatches,
    base: countsOf(saved?.progress),
    isExhausted: settledBatches > 0 && plan.load !== undefined,
    dropped: saved?.progress.dropped,
    hasGone: false,
  };
}

export const snapshotOf = (step: Step): StepSnapshot => ({
  boot: step.boot,
  settledBatches: step.next - step.batches.length,
  progress: progressWith(step, step.base),
});

/** What has become of a step so far. */
export const progressOf = (step: Step): StepProgress => progressWith(step, sumOf(step));

function progressWith({ plan: { from, to, count }, dropped }: Step, counts: Counts): StepProgress {
  return { from, to, count, ...counts, ...(dropped === undefined ? {} : { dropped }) };
}

function add(sum: Counts, report: MoveProgress): void {
  sum.asked += report.asked;
  sum.done += report.done;
  sum.failed += report.failed;
  sum.pinned += pinnedOf(report);
  sum.timedOut += report.timedOut;
  sum.refused += report.refused;
}

function countsOf(progress: StepProgress | undefined): Counts {
  const { asked = 0, done = 0, failed = 0, pinned = 0, timedOut = 0, refused = 0 } = progress ?? {};
  return { asked, done, failed, pinned, timedOut, refused };
}

/** Everything known of a step: batches forgotten and batches under way. */
export function sumOf(step: Step): Counts {
  const sum = { ...step.base };
  for (const batch of step.batches) if (batch.report !== undefined) add(sum, batch.report);
  return sum;
}

/** Moves asked for and not ended, those counted that no report has mentioned yet. */
export function underWayOf(step: Step): number {
  // One command for all there is: the edge paces it alone.
  if (isWhole(step)) return step.delay.inFlight;
  let sum = 0;
  for (const { count, report, isSettled } of step.batches) {
    if (!isSettled) sum += report === undefined ? count : report.asked - report.refused - settledOf(report);
  }
  return sum;
}

/** Marks a batch as settled and forgets it, with those before it, in order: a successor goes on with the first that is not. */
export function settle(step: Step, batch: Batch): Batch[] {
  batch.isSettled = true;
  const forgotten: Batch[] = [];
  for (let first = step.batches[0]; first?.isSettled; first = step.batches[0]) {
    if (first.report !== undefined) add(step.base, first.report);
    step.batches.shift();
    forgotten.push(first);
  }
  return forgotten;
}

/** One batch: the edge alone knows how many sessions make up a load. */
export const isWhole = (step: Step): boolean => step.plan.load !== undefined;

export const isOver = (step: Step): boolean =>
  step.batches.length === 0 && (step.isExhausted || step.dropped !== undefined);
