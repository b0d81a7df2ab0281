import { type ManageCommand, manageKind } from '@evenkeel/protocol';
import type { Balancer } from '../core/balancer.js';
import { type NodeView, takersAmong } from '../core/cluster/state.js';
import { type Draft, draftDrain, draftLevel, type Method } from '../core/plan/draft.js';
import { attemptKey } from '../core/plan/drains.js';
import { listed } from '../core/plan/plan.js';
import type { PastPlan } from '../core/run/past-plan.js';
import { type Answer, ManageError, nodeAnswer, notLeader, planAnswer } from './answers.js';
import type { Denying } from './denying.js';
import type { Found } from './edge-queries.js';
import { forget } from './forget.js';
import type { Told } from './told.js';

export interface CommandContext {
  readonly balancer: Balancer;
  readonly leader: { id: string; since: number };
  readonly nowMs: number;
  /** Who asks, as the broker has validated it; else `anonymous`. */
  readonly user: string;
  readonly told: Told;
  sendToEdge(node: string, command: { command: 'cordon' | 'uncordon' }): Promise<'routed' | 'unrouted'>;
  readonly denying: Denying;
  askEdges(command: 'where' | 'disconnect', user: string): Promise<Found>;
}

/** How many pinned sessions a drain closes a second, where its command does not say. */
const closesPerSecond = 10;

/** What they change is not in the saved state. */
const stateless: ReadonlySet<ManageCommand['command']> = new Set(['disconnect', 'deny', 'allow', 'forget']);

type Of<C extends ManageCommand['command']> = Extract<ManageCommand, { command: C }>;

/** Carries out one command. @throws ManageError what is wrong with it. */
export async function execute(command: ManageCommand, c: CommandContext): Promise<Answer> {
  const { held } = c.balancer;
  const isFree = stateless.has(command.command) || manageKind(command.command) === 'view';
  if (held !== undefined && !isFree) throw new ManageError('newer-state', held);
  switch (command.command) {
    case 'status':
      return status(c);
    case 'plan':
      return dryRun(command, c);
    case 'rebalance':
      return rebalance(command, c);
    case 'drain':
      return drain(command, c);
    case 'cordon':
      return cordon(command, c);
    case 'uncordon':
      return uncordon(command, c);
    case 'pause':
    case 'resume':
    case 'abort':
      return steer(command, c);
    case 'undo':
      return undo(command, c);
    case 'where':
    case 'disconnect':
      return c.askEdges(command.command, command.user);
    case 'deny':
      return c.denying.deny(oneOf(command));
    case 'allow':
      return c.denying.allow(oneOf(command));
    case 'denials':
      return c.denying.list();
    case 'forget':
      return forget(command.user, c);
  }
}

function oneOf<C extends Of<'deny'> | Of<'allow'>>({ command, v: _v, onBehalfOf: _by, ...rest }: C) {
  if ((rest.user === undefined) !== (rest.session === undefined)) return rest;
  throw new ManageError('bad-command', `name a user or a session: {"command": "${command}", "user": …}`);
}

const short = (p: PastPlan) => {
  const { moved: _, ...rest } = p;
  return rest;
};

function status({ balancer, leader, nowMs }: CommandContext): Answer {
  const { automatic } = balancer;
  const silentMs = balancer.view.silentMs(nowMs);
  return {
    ok: true,
    nodes: balancer.view.nodes(nowMs).map((n) => nodeAnswer(n, balancer.drainOf(n))),
    leader,
    plan: balancer.run === undefined ? null : planAnswer(balancer.run, nowMs),
    mode: automatic.mode,
    isPaused: automatic.isPaused,
    ...(automatic.pausedBy === undefined ? {} : { pausedBy: automatic.pausedBy }),
    why: balancer.why,
    // A balancer that has just started, or that has heard of nobody for a while, has not yet heard of every node.
    isComplete: balancer.isWarm(nowMs) && silentMs === undefined,
    ...(silentMs === undefined ? {} : { silentMs }),
    cordons: [...balancer.cordons.wishes.values()],
    history: balancer.history.map(short).reverse(),
  };
}

interface Naming {
  node?: string | undefined;
  nodes?: string[] | undefined;
}

const namesIn = ({ node, nodes = [] }: Naming): string[] => [
  ...new Set([...nodes, ...(node === undefined ? [] : [node])]),
];

const isThere = (name: string, { balancer, nowMs }: CommandContext): boolean =>
  (balancer.view.get(name, nowMs)?.phase ?? 'gone') !== 'gone';

/** The nodes that a command names. */
function named(command: Naming, c: CommandContext): NodeView[] {
  return namesIn(command).map((name) => {
    const node = c.balancer.view.get(name, c.nowMs);
    if (node === undefined || node.phase === 'gone') {
      const known = c.balancer.view.nodes(c.nowMs).filter((n) => n.phase !== 'gone');
      const list = known.map((n) => n.node).join(', ') || 'none';
      throw new ManageError('unknown-node', `there is no node ${name}; known nodes: ${list}`);
    }
    return node;
  });
}

function needNodes(command: Of<'drain'> | Of<'cordon'> | Of<'uncordon'>, c: CommandContext): NodeView[] {
  const nodes = named(command, c);
  if (nodes.length === 0)
    throw new ManageError('bad-command', `name a node: {"command": "${command.command}", "node": …}`);
  return nodes;
}

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

function emptied(command: Of<'plan'> | Of<'drain'>, nodes: readonly NodeView[], c: CommandContext): Draft {
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

function shown(draft: Draft, why: string, c: CommandContext): object {
  return {
    moves: draft.steps.map(({ isEstimate: _, ...step }) => step),
    total: draft.total,
    unplaced: draft.unplaced,
    pinned: draft.pinned,
    strategy: draft.strategy,
    load: draft.load,
    before: Object.fromEntries(draft.before),
    after: Object.fromEntries(draft.after),
    estimatedMs: c.balancer.estimateMs(draft.steps),
    why,
  };
}

function dryRun(command: Of<'plan'>, c: CommandContext): Answer {
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

function rebalance(command: Of<'rebalance'>, c: CommandContext): Answer {
  needIdle(c);
  needWarm(c);
  const draft = level(command, c);
  if (draft.steps.length === 0) return { ok: true, plan: { id: null, ...shown(draft, 'level already', c) } };
  const why = `asked for by ${c.user}`;
  const plan = c.balancer.start('rebalance', why, c.user, draft, c.nowMs);
  return { ok: true, plan: { id: plan.id, ...shown(draft, why, c) } };
}

function needWarm(c: CommandContext): void {
  if (c.balancer.isWarm(c.nowMs)) return;
  throw new ManageError(
    'not-ready',
    'this balancer has just started and does not know every node yet; ask again in 3 s',
  );
}

async function drain(command: Of<'drain'>, c: CommandContext): Promise<Answer> {
  const nodes = needNodes(command, c);
  needWarm(c);
  const draft = emptied(command, nodes, c);
  await toEdges(
    nodes.filter((n) => n.phase !== 'draining'),
    'cordon',
    c,
  );
  if (!c.balancer.isLeading) throw notLeader();
  for (const n of nodes) {
    c.balancer.drains.set(n.node, {
      node: n.node,
      boot: n.stats.boot,
      by: c.user,
      ...(command.deadlineMs === undefined ? {} : { endsBy: c.nowMs + command.deadlineMs }),
      ...(command.closePinned === true ? { closesPerSecond: command.ratePerSecond ?? closesPerSecond } : {}),
    });
    c.balancer.forgive(attemptKey(n));
  }
  await c.balancer.save();
  return {
    ok: true,
    nodes: nodes.map((n) => n.node),
    plan: shown(draft, `draining, asked for by ${c.user}`, c),
  };
}

async function cordon(command: Of<'cordon'>, c: CommandContext): Promise<Answer> {
  const nodes = needNodes(command, c);
  await toEdges(nodes, 'cordon', c);
  if (!c.balancer.isLeading) throw notLeader();
  for (const { node } of nodes) c.balancer.cordons.set({ node, by: c.user, at: c.nowMs });
  await c.balancer.save();
  return { ok: true, nodes: nodes.map((n) => n.node) };
}

async function uncordon(command: Of<'uncordon'>, c: CommandContext): Promise<Answer> {
  const { cordons, drains } = c.balancer;
  // Of a node that is not there it is only forgotten that it was to be cordoned.
  const absent = namesIn(command).filter(
    (name) => !isThere(name, c) && (cordons.wishes.has(name) || drains.has(name)),
  );
  const nodes =
    absent.length === 0
      ? needNodes(command, c)
      : named({ nodes: namesIn(command).filter((name) => !absent.includes(name)) }, c);
  const leaving = nodes.find((n) => n.phase === 'draining');
  if (leaving !== undefined) {
    throw new ManageError(
      'draining',
      `${leaving.node} is shutting down and cannot be uncordoned; start it again`,
    );
  }
  const names = [...nodes.map((n) => n.node), ...absent];
  // Before the edges are told: one that reports active meanwhile would be told the opposite.
  const lifted = names.flatMap((name) => cordons.wishes.get(name) ?? []);
  for (const name of names) cordons.wishes.delete(name);
  try {
    await toEdges(nodes, 'uncordon', c);
    if (!c.balancer.isLeading) throw notLeader();
  } catch (error) {
    for (const wish of lifted) cordons.set(wish);
    throw error;
  }
  for (const name of names) c.balancer.withdraw(name, c.user);
  await c.balancer.save();
  return { ok: true, nodes: names, ...stillCordoned(nodes) };
}

/** Those that keep newcomers off by themselves: no operator ends that. */
function stillCordoned(nodes: readonly NodeView[]): { unreachable?: string[]; why?: string } {
  const unreachable = nodes.filter((n) => n.stats.reachable === false).map((n) => n.node);
  if (unreachable.length === 0) return {};
  const why = `${unreachable.join(', ')}: cordoned until clients that dial the public URL get there; the log of the edge says what it meets`;
  return { unreachable, why };
}

/** All of them, or none: what was done before one that cannot be reached is done back. */
async function toEdges(
  nodes: readonly NodeView[],
  command: 'cordon' | 'uncordon',
  c: CommandContext,
): Promise<void> {
  const changed: NodeView[] = [];
  try {
    for (const n of nodes) {
      const wasCordoned = c.told.isCordoned(n, c.nowMs);
      await toEdge(n, command, c);
      if (wasCordoned !== (command === 'cordon')) changed.push(n);
    }
  } catch (error) {
    const back = command === 'cordon' ? 'uncordon' : 'cordon';
    await Promise.allSettled(changed.map((n) => toEdge(n, back, c)));
    throw error;
  }
}

async function toEdge(n: NodeView, command: 'cordon' | 'uncordon', c: CommandContext): Promise<void> {
  if ((await c.sendToEdge(n.node, { command })) === 'unrouted') {
    throw new ManageError('node-unreachable', `${n.node} takes no commands at present; look whether it runs`);
  }
  c.told.note(n, command, c.nowMs);
  c.balancer.cordons.told(n.node, c.nowMs);
  if (command === 'cordon') c.balancer.view.unpin(n.node, c.nowMs);
}

function steer(command: Of<'pause'> | Of<'resume'> | Of<'abort'>, c: CommandContext): Answer {
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

function undo(command: Of<'undo'>, c: CommandContext): Answer {
  needIdle(c);
  const past =
    command.plan === undefined
      ? c.balancer.history.at(-1)
      : c.balancer.history.find((p) => p.id === command.plan);
  if (past === undefined) {
    throw new ManageError('unknown-plan', 'there is no such plan among the last 100; status lists them');
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
