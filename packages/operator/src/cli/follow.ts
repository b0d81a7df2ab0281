import type { PlanView, StatusAnswer } from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { estimateMs, type Progress, progressBar, progressOf } from './progress.js';
import type { Terminal } from './terminal.js';

const everyMs = 500;

/** What is waited for: the end of one plan, or that nodes are empty. */
export type Goal = { kind: 'plan'; plan: PlanView } | { kind: 'empty'; nodes: readonly string[] };

interface Look {
  progress: Progress;
  /** Set when nothing more comes of it. */
  end: PlanView | undefined;
}

/**
 * Watches until the goal is reached or given up, with a progress bar on standard error: redrawn on a terminal,
 * a line per tenth elsewhere. Resolves with the plan's last form.
 * @throws OperatorError `interrupted`; what was begun goes on.
 */
export async function follow(
  operator: Operator,
  goal: Goal,
  terminal: Terminal,
  now: () => number = Date.now,
): Promise<PlanView> {
  const bar = new Bar(terminal);
  const look = goal.kind === 'plan' ? planLook(goal.plan) : emptyLook(goal.nodes);
  let first: { done: number; atMs: number } | undefined;
  for (;;) {
    const { progress, end } = look(await operator.status());
    first ??= { done: progress.done, atMs: now() };
    bar.show({ ...progress, etaMs: progress.etaMs ?? estimateMs(first, { ...progress, atMs: now() }) });
    if (end !== undefined) {
      bar.end();
      return end;
    }
    await terminal.sleep(everyMs);
    if (!terminal.isInterrupted) continue;
    bar.end();
    throw new OperatorError('interrupted', 'no longer waiting; the plan goes on (evenkeel abort ends it)');
  }
}

/** The plan while it runs, then its entry in the history. */
function planLook(plan: PlanView): (status: StatusAnswer) => Look {
  let last = plan;
  return ({ plan: current, history }) => {
    const past = history?.find((p) => p.id === plan.id);
    if (past !== undefined) return { progress: progressOf(past), end: { ...last, ...past } };
    // Neither running nor remembered: a hundred others have ended since.
    if (current == null || current.id !== plan.id) return { progress: progressOf(last), end: last };
    last = current;
    return { progress: progressOf(current), end: undefined };
  };
}

/** A node that has gone is empty. */
function emptyLook(nodes: readonly string[]): (status: StatusAnswer) => Look {
  let most = 0;
  let hasBegun = false;
  return (status) => {
    const left = status.nodes
      .filter((n) => nodes.includes(n.node) && n.state !== 'gone')
      .reduce((sum, n) => sum + n.sessions, 0);
    most = Math.max(most, left);
    const progress = { done: most - left, failed: 0, total: most, etaMs: undefined };
    // Between the answer and the next statistics a node still shows as active.
    const isActive = status.nodes.some((n) => nodes.includes(n.node) && n.state === 'active');
    hasBegun ||= !isActive;
    const end = left === 0 ? 'done' : hasBegun && isActive ? 'aborted' : undefined;
    return {
      progress,
      end: end === undefined ? undefined : { kind: 'drain', state: end, total: most, done: most - left },
    };
  };
}

class Bar {
  readonly #terminal: Terminal;
  #shownTenth = -1;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(progress: Progress): void {
    const text = progressBar(progress, this.#terminal.columns);
    if (this.#terminal.isErrTty) {
      this.#terminal.err(`\r\u001b[K${text}`);
      return;
    }
    const tenth = progress.total === 0 ? 10 : Math.floor((10 * progress.done) / progress.total);
    if (tenth !== this.#shownTenth) this.#terminal.err(`${text}\n`);
    this.#shownTenth = tenth;
  }

  end(): void {
    if (this.#terminal.isErrTty) this.#terminal.err('\n');
  }
}
