import type { NodeStatus, PlanView, StatusAnswer } from '@evenkeel/protocol';
import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { statusMeanwhile, wholeStatusMeanwhile } from './meanwhile.js';
import { estimateMs, type Progress, progressBar, progressOf } from './progress.js';
import type { StayedOn } from './stayed.js';
import { counted } from './table.js';
import type { Terminal } from './terminal.js';

const everyMs = 500;

/** What is waited for: the end of one plan, or that nodes are empty. */
export type Goal =
  | { kind: 'plan'; plan: PlanView }
  | { kind: 'empty'; nodes: readonly string[]; deadlineMs?: number | undefined };

/** How it ended: the plan's last form, and the nodes that should be empty and are not. */
export type Ended = PlanView & { stayed?: StayedOn[] };

interface Look {
  /** Undefined where it cannot be told. */
  progress: Progress | undefined;
  /** Set when nothing more comes of it. */
  end: Ended | undefined;
}

/**
 * Watches until the goal is reached or given up, with a progress bar on standard error: redrawn on a terminal,
 * a line per tenth elsewhere. Resolves with the plan's last form.
 * @throws OperatorError `interrupted`, or that for a minute nobody has answered, or known every node; what was begun goes on.
 */
export async function follow(
  operator: Operator,
  goal: Goal,
  terminal: Terminal,
  now: () => number = () => performance.now(),
): Promise<Ended> {
  const bar = new Bar(terminal);
  let unansweredMs = 0;
  const look = goal.kind === 'plan' ? planLook(goal.plan) : emptyLook(goal, now, () => now() - unansweredMs);
  const statusNow = goal.kind === 'plan' ? statusMeanwhile : wholeStatusMeanwhile;
  const pause = async (ms: number): Promise<void> => {
    await terminal.sleep(ms);
    if (terminal.isInterrupted)
      throw new OperatorError('interrupted', 'no longer waiting; the plan goes on (evenkeel abort ends it)');
  };
  let first: { done: number; atMs: number } | undefined;
  try {
    for (;;) {
      const askedAtMs = now();
      const status = await statusNow(operator, pause, now);
      unansweredMs += now() - askedAtMs;
      const { progress, end } = look(status);
      if (progress !== undefined) {
        first ??= { done: progress.done, atMs: now() };
        bar.show({ ...progress, etaMs: progress.etaMs ?? estimateMs(first, { ...progress, atMs: now() }) });
      }
      if (end !== undefined) return end;
      await pause(everyMs);
    }
  } finally {
    bar.end();
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

/** How long nothing may come of it, ms, before it counts as ended: an older balancer does not say so. */
const stalledMs = 15_000;
/** How long a node may be no part of the answers until it counts as gone, ms: as long as balancers wait for a silent one. */
const absentMs = 15_000;

/** A node that has gone is empty. `seenMs`: a clock that stands still while nobody answers. Ends also when the rest stays: the balancer says so, or nothing comes of it any more. */
function emptyLook(
  { nodes, deadlineMs = Number.POSITIVE_INFINITY }: Extract<Goal, { kind: 'empty' }>,
  now: () => number,
  seenMs: () => number,
): (status: StatusAnswer) => Look {
  const endsAtMs = now() + deadlineMs;
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  let progressAtMs = seenMs();
  let hasBegun = false;
  const sightings = new Sightings(nodes, seenMs);
  return (status) => {
    if (!sightings.isWhole(status)) {
      progressAtMs = seenMs();
      return { progress: undefined, end: undefined };
    }
    const waited = status.nodes.filter((n) => nodes.includes(n.node) && n.state !== 'gone');
    const left = waited.reduce((sum, n) => sum + n.sessions, 0);
    most = Math.max(most, left);
    if (left < least || status.plan?.state === 'running') progressAtMs = seenMs();
    least = Math.min(least, left);
    // Between the answer and the next statistics a node still shows as active.
    // Nor is one that has started anew, until it is cordoned again.
    const isActive = waited.some((n) => n.state === 'active' && n.drain === undefined);
    hasBegun ||= !isActive;
    const done = most - left;
    const progress = { done, failed: 0, total: most, etaMs: undefined };
    const about = { kind: 'drain', total: most, done };
    if (left === 0) return { progress, end: { ...about, state: 'done' } };
    const occupied = waited.filter((n) => n.sessions > 0);
    const stayed = (why: string): Look => {
      const on = occupied.map((n) => ({ node: n.node, sessions: n.sessions, why: n.drain?.why ?? why }));
      const outcome = `${counted(left, 'session')} stayed: ${why}`;
      return { progress, end: { ...about, state: 'partial', outcome, stayed: on } };
    };
    if (hasBegun && isActive) return stayed('the drain was ended by an uncordon');
    if (hasBegun && occupied.every((n) => n.drain?.state === 'stayed'))
      return stayed(
        [...occupied.map((n) => `${n.drain?.why ?? 'not moved'} on ${n.node}`), ...letGo(occupied)].join(
          '; ',
        ),
      );
    if (
      hasBegun &&
      occupied.every((n) => n.state === 'cordoned' && n.drain === undefined) &&
      now() <= endsAtMs
    )
      return stayed('the drain was withdrawn (status says more)');
    if (now() > endsAtMs && occupied.every((n) => n.state === 'cordoned'))
      return stayed('the deadline has passed');
    if (seenMs() - progressAtMs < stalledMs) return { progress, end: undefined };
    const isPaused = status.plan?.state === 'paused';
    return stayed(
      isPaused ? 'the plan is paused (evenkeel resume goes on)' : (status.why ?? 'nothing moves them'),
    );
  };
}

/** When each node was last part of an answer: one that a new leader has not heard of yet may be full. */
class Sightings {
  readonly #seenMs: () => number;
  readonly #lastMs: Map<string, number>;

  constructor(nodes: readonly string[], seenMs: () => number) {
    this.#seenMs = seenMs;
    this.#lastMs = new Map(nodes.map((node) => [node, seenMs()]));
  }

  /** Whether the answer tells of each node what has become of it. */
  isWhole({ nodes }: StatusAnswer): boolean {
    const nowMs = this.#seenMs();
    for (const { node, state } of nodes) {
      if (this.#lastMs.has(node)) this.#lastMs.set(node, state === 'gone' ? Number.NEGATIVE_INFINITY : nowMs);
    }
    return [...this.#lastMs].every(
      ([node, lastMs]) => nowMs - lastMs >= absentMs || nodes.some((each) => each.node === node),
    );
  }
}

/** What to do about those that the front keeps. Closing them is in vain while it brings them back. */
function letGo(nodes: readonly NodeStatus[]): string[] {
  const names = nodes.filter((n) => (n.pinned ?? 0) > 0).map((n) => n.node);
  if (names.length === 0) return [];
  return [`take ${names.join(', ')} out of what is in front, then drain again`];
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
