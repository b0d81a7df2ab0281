import { type NodeView, takersAmong } from '../core/cluster/state.js';
import { type Draft, draftDrain, draftLevel, type Method } from '../core/plan/draft.js';
import { listed } from '../core/plan/plan.js';
import { lastThatMoved } from '../core/run/past-plan.js';
import { type Answer, ManageError, planAnswer } from './answers.js';
import { type CommandContext, named, type Of } from './context.js';

/** How to plan: as the command says, else as configured. A ring is taken to be unknown: every stray is looked for. */
function method(
  command: { strategy?: Method['strategy'] | undefined; load?: Method['load'] | undefined },
  c: CommandContext,
): Method {
  const { options } = c.balancer.policy;
  const strategy = command.strategy ?? options.strategy;
  return { strategy, load: command.load ?? options.load, ring: undefined };
}

function level(command: Of<'plan'> | Of<'rebalance'>, c: CommandContext): Draft {
  const nodes = c.balancer.view.nodes(c.nowMs);
  return draftLevel(nodes, new Set(takersAmong(nodes).map((n) => n.node)), method(command, c));
}

export function emptied(
  command: Of<'plan'> | Of<'drain'>,
  nodes: readonly NodeView[],
  c: CommandContext,
): Draft {
  const names = new Set(nodes.map((n) => n.node));
  const all = c.balancer.view.nodes(c.nowMs);
  const takers = new Set(takersAmong(all.filter((n) => !names.has(n.node))).map((n) => n.node));
  if (takers.size === 0) {
    throw new ManageError(
      'no-target',
      `no active node would be left to take the sessions of ${[...names].join(', ')}; add or uncordon one first`,
    );
  }
  return draftDrain(all, names, takers, method(command.command === 'plan' ? command : {}, c));
}

export function shown(draft: Draft, why: string, c: CommandContext): object {
  return {
    moves: draft.steps.map(({ isEstimate: _, ...step }) => step),
    total: draft.total,
    unplaced: draft.unplaced,
    ...(draft.unplaced > 0 ? { unplacedByNode: Object.fromEntries(draft.unplacedByNode) } : {}),
    pinned: draft.pinned,
    strategy: draft.strategy,
    load: draft.load,
    before: Object.fromEntries(draft.before),
    after: Object.fromEntries(draft.after),
    estimatedMs: c.balancer.estimateMs(draft.steps),
    why,
  };
}

export function dryRun(command: Of<'plan'>, c: CommandContext): Answer {
  const nodes = named(command, c);
  const draft = nodes.length > 0 ? emptied(command, nodes, c) : level(command, c);
  const list = listed(nodes.map((n) => n.node));
  const why =
    draft.steps.length === 0 ? 'nothing to move' : nodes.length > 0 ? `draining ${list}` : 'levelling';
  return { ok: true, plan: shown(draft, why, c) };
}

function needIdle(c: CommandContext): void {
  const { run } = c.balancer;
  if (run !== undefined) {
    throw new ManageError(
      'plan-running',
      `plan ${run.plan.id} is ${run.state}; wait for it or abort it first`,
    );
  }
}

export function rebalance(command: Of<'rebalance'>, c: CommandContext): Answer {
  needIdle(c);
  needWarm(c);
  const draft = level(command, c);
  if (draft.steps.length === 0) return { ok: true, plan: { id: null, ...shown(draft, 'level already', c) } };
  const why = `asked for by ${c.user}`;
  const plan = c.balancer.start('rebalance', why, c.user, draft, c.nowMs);
  return { ok: true, plan: { id: plan.id, ...shown(draft, why, c) } };
}

export function needWarm(c: CommandContext): void {
  if (c.balancer.isWarm(c.nowMs)) return;
  throw new ManageError(
    'not-ready',
    'this balancer has just started and does not know every node yet; ask again in 3 s',
  );
}

export function steer(command: Of<'pause'> | Of<'resume'> | Of<'abort'>, c: CommandContext): Answer {
  const { balancer } = c;
  const { run, automatic } = balancer;
  if (command.plan !== undefined && run?.plan.id !== command.plan) {
    throw new ManageError(
      'unknown-plan',
      run === undefined ? 'no plan is running' : `plan ${command.plan} is not running; ${run.plan.id} is`,
    );
  }
  if (run === undefined) {
    if (command.command === 'abort') throw new ManageError('no-plan', 'no plan is running: nothing to abort');
    if (command.command === 'pause') automatic.pause({ by: c.user, at: c.nowMs });
    else automatic.resume();
    void balancer.save();
    return { ok: true, plan: null, isPaused: automatic.isPaused };
  }
  let withdrawn: string[] = [];
  if (command.command === 'pause') run.pause();
  else if (command.command === 'abort') withdrawn = balancer.abort(c.user, c.nowMs);
  else if (!run.resume()) automatic.resume();
  void balancer.save();
  return {
    ok: true,
    plan: planAnswer(run, c.nowMs),
    isPaused: automatic.isPaused,
    ...(withdrawn.length === 0 ? {} : { withdrawn }),
  };
}

export function undo(command: Of<'undo'>, c: CommandContext): Answer {
  needIdle(c);
  const past =
    command.plan === undefined
      ? lastThatMoved(c.balancer.history)
      : c.balancer.history.find((p) => p.id === command.plan);
  if (past === undefined) {
    const why =
      command.plan === undefined
        ? 'nothing to undo: of the last 100 plans none has moved anybody'
        : 'there is no such plan among the last 100; history lists them';
    throw new ManageError('unknown-plan', why);
  }
  const phase = (name: string) => c.balancer.view.get(name, c.nowMs)?.phase;
  const moves = past.moved.filter((m) => m.done > 0).map((m) => ({ from: m.to, to: m.from, count: m.done }));
  const bad = moves.find((m) => phase(m.to) !== 'active');
  if (bad !== undefined) {
    throw new ManageError(
      'no-target',
      `${bad.to} is ${phase(bad.to) ?? 'gone'} and takes nobody back; uncordon or start it first`,
    );
  }
  const total = moves.reduce((sum, m) => sum + m.count, 0);
  if (total === 0) {
    const why =
      past.done > 0 && past.moved.length === 0
        ? `of plan ${past.id} nothing can be moved back: its sessions were closed, or it is too long ago`
        : `plan ${past.id} moved nobody`;
    return { ok: true, plan: { id: null, moves, total, why } };
  }
  const why = `undoing ${past.id}, asked for by ${c.user}`;
  const plan = c.balancer.start('undo', why, c.user, { steps: moves, total }, c.nowMs);
  // Levelling would at once undo the undoing.
  c.balancer.automatic.pause({ by: c.user, at: c.nowMs, why: `undo of ${past.id}` });
  return { ok: true, isPaused: true, plan: { id: plan.id, moves, total, why } };
}
