import type { PlanView } from '../answers.js';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { estimateMs, isFinished, type Progress, progressBar, progressOf } from './progress.js';
import type { Terminal } from './terminal.js';

const everyMs = 500;

/**
 * Follows a plan until nothing more comes of it, with a progress bar on standard error: redrawn on a
 * terminal, a line per tenth elsewhere. Resolves with the plan's last form.
 * @throws OperatorError `interrupted`; the plan goes on.
 */
export async function followPlan(
  operator: Operator,
  plan: PlanView,
  terminal: Terminal,
  now: () => number = Date.now,
): Promise<PlanView> {
  let last = plan;
  let shownTenth = -1;
  const first = { done: progressOf(plan).done, atMs: now() };
  const show = (progress: Progress) => {
    if (terminal.isErrTty) {
      terminal.err(`\r\u001b[K${progressBar(progress, terminal.columns)}`);
      return;
    }
    const tenth = progress.total === 0 ? 10 : Math.floor((10 * progress.done) / progress.total);
    if (tenth !== shownTenth) terminal.err(`${progressBar(progress, terminal.columns)}\n`);
    shownTenth = tenth;
  };
  for (;;) {
    const progress = progressOf(last);
    const eta = progress.etaMs ?? estimateMs(first, { ...progress, atMs: now() });
    show({ ...progress, etaMs: eta });
    if (isFinished(last)) break;
    await terminal.sleep(everyMs);
    if (terminal.isInterrupted) {
      if (terminal.isErrTty) terminal.err('\n');
      throw new OperatorError('interrupted', 'no longer waiting; the plan goes on (evenkeel abort stops it)');
    }
    const { plan: current } = await operator.status();
    // The plan that was followed is not the current one any more: it has come to its end.
    if (current == null || (plan.id !== undefined && current.id !== plan.id)) {
      last = { ...last, state: 'done', done: progressOf(last).total - progressOf(last).failed };
    } else last = current;
  }
  if (terminal.isErrTty) terminal.err('\n');
  return last;
}
