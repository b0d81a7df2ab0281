import type { NodeView } from '../core/cluster/state.js';
import type { DrainStatus } from '../core/plan/drains.js';
import type { PlanRun } from '../core/run/run.js';

/** Why a command was not carried out; `code` is stable and documented in docs/manage.md. */
export class ManageError extends Error {
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ManageError';
    this.code = code;
  }
}

/** Code of what is refused because too many questions to the edges are open. */
export const busy = 'busy';

/** It led when the command came, and another leads now. */
export const notLeader = (): ManageError =>
  new ManageError('not-leader', 'another balancer leads now and carries out commands; ask again');

export type Answer =
  | { ok: true; [key: string]: unknown }
  | { ok: false; error: { code: string; message: string } };

export const refusal = (code: string, message: string): Answer => ({ ok: false, error: { code, message } });

/** A node as `status` shows it. */
export function nodeAnswer(n: NodeView, drain: DrainStatus | undefined): object {
  const { v: _v, node: _node, state, at: _at, steadyAt: _steadyAt, ...stats } = n.stats;
  const isGoingOn = drain !== undefined && drain.endedAt === undefined;
  const shown = n.phase === 'cordoned' && isGoingOn ? 'draining' : n.phase;
  return {
    node: n.node,
    state: shown,
    reportedState: state,
    seenAt: n.seenAtMs,
    ...stats,
    pinned: n.pinned,
    clockAheadMs: n.clockAheadMs,
    ...(n.isClockOff ? { isClockOff: true } : {}),
    ...(drain === undefined ? {} : { drain }),
  };
}

/** The running plan as `status` shows it. */
export function planAnswer(run: PlanRun, nowMs: number) {
  const { plan } = run;
  const steps = run.progress();
  const sum = (key: 'done' | 'failed' | 'pinned' | 'timedOut') =>
    steps.reduce((all, step) => all + step[key], 0);
  const done = sum('done');
  const failed = sum('failed');
  const timedOut = sum('timedOut');
  const left = Math.max(0, plan.total - done - failed - timedOut);
  const elapsedMs = Math.max(1, nowMs - plan.startedAt);
  const perSecond = done > 0 ? (done / elapsedMs) * 1000 : run.ratePerSecond();
  return {
    id: plan.id,
    kind: plan.kind,
    state: run.state,
    reason: plan.why,
    by: plan.by,
    strategy: plan.strategy,
    load: plan.load,
    total: plan.total,
    done,
    failed,
    pinned: sum('pinned'),
    timedOut,
    startedAt: plan.startedAt,
    ratePerSecond: Math.round(run.ratePerSecond()),
    etaMs: perSecond > 0 ? Math.round((left / perSecond) * 1000) : null,
    moves: steps,
  };
}
