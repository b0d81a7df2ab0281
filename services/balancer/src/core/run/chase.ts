/** What is to be done about a step that does not go on, and about a batch that nobody reports. Pure. */
import type { NodeView } from '../cluster/state.js';
import type { Batch } from './batch.js';
import type { Judged } from './rates.js';
import type { Step } from './step.js';

export interface ChaseOptions {
  /** A command that no report has mentioned for this long is sent again, … */
  resendAfterMs: number;
  /** … this often. */
  maxResends: number;
  /** One whose last report is this old, and was not its final one, is asked about: that may have been lost. */
  askAfterMs: number;
  /** A target is given up when at least `judgedFrom` moves to it are settled and this share has failed. */
  maxFailedRatio: number;
  judgedFrom: number;
}

/** Time for a batch's last report beyond the deadline of its moves, ms. */
const LAST_REPORT_MS = 5000;

/** Whether the process that a step moves sessions from is there no more: nobody will report on them. */
export const hasLeft = (step: Step, source: NodeView | undefined): boolean =>
  source === undefined || source.phase === 'gone' || source.stats.boot !== step.boot;

/** Why nothing more may be moved to the target of a step; undefined when it may. */
export function obstacleAt(
  step: Step,
  target: NodeView | undefined,
  judged: Judged,
  options: ChaseOptions,
): string | undefined {
  const { to } = step.plan;
  if (target === undefined || (target.phase !== 'active' && target.phase !== 'joining'))
    return `target ${to} is ${target?.phase ?? 'gone'}`;
  const { judgedFrom, maxFailedRatio } = options;
  if (judged.settled < judgedFrom || judged.bad / judged.settled <= maxFailedRatio) return undefined;
  return `target ${to} fails ${judged.bad} of ${judged.settled} moves`;
}

/**
 * What to do about a batch under way: wait for it, ask how far it is, send it again, drop its step since nothing is heard of
 * it, or give up what it has not ended.
 * @param longestMs how long its moves may take, from the first to the last.
 */
export function chase(
  batch: Batch,
  longestMs: number,
  options: ChaseOptions,
  nowMs: number,
): 'wait' | 'ask' | 'resend' | 'drop' | 'give-up' {
  const silentMs = nowMs - batch.sentAtMs;
  if (batch.report !== undefined) {
    if (silentMs > longestMs + LAST_REPORT_MS) return 'give-up';
    return nowMs - batch.heardAtMs >= options.askAfterMs ? 'ask' : 'wait';
  }
  if (silentMs < options.resendAfterMs) return 'wait';
  return batch.resends < options.maxResends ? 'resend' : 'drop';
}
