import type { NodeView } from '../core/cluster/state.js';
import type { PastPlan } from '../core/run/past-plan.js';
import { maxOverMean, totalsOf } from '../core/totals.js';
import { type Answer, nodeAnswer, planAnswer } from './answers.js';
import type { CommandContext } from './context.js';
import { sentenceOf } from './sentence.js';

export const short = (p: PastPlan) => {
  const { moved: _, ...rest } = p;
  return rest;
};

export function status(c: CommandContext): Answer {
  const { balancer, leader, nowMs } = c;
  const { automatic, view, standing } = balancer;
  const silentMs = view.silentMs(nowMs);
  const nodes = view.nodes(nowMs);
  const worst = maxOverMean(nodes);
  const ageMs = viewAgeMs(nodes, nowMs);
  return {
    ok: true,
    sentence: sentenceNow(c, nodes),
    nodes: nodes.map((n) => nodeAnswer(n, balancer.drainOf(n))),
    leader,
    leaderSince: leader.since,
    ...(worst === undefined ? {} : { level: { maxOverMean: worst } }),
    ...(ageMs === undefined ? {} : { viewAgeMs: ageMs }),
    totals: totalsOf(nodes, view.gaps.lastHour(nowMs)),
    plan: balancer.run === undefined ? null : planAnswer(balancer.run, nowMs),
    mode: automatic.mode,
    isPaused: automatic.isPaused,
    ...(automatic.pausedBy === undefined ? {} : { pausedBy: automatic.pausedBy }),
    why: balancer.why,
    isComplete: isComplete(c),
    ...(silentMs === undefined ? {} : { silentMs }),
    cordons: [...standing.cordons.wishes.values()],
    amqp: Object.fromEntries(c.amqp()),
    settingsChanged: standing.changed,
    history: balancer.history.map(short).reverse(),
  };
}

/** A balancer that has just started, or that has heard of nobody for a while, has not yet heard of every node. */
const isComplete = ({ balancer, nowMs }: Pick<CommandContext, 'balancer' | 'nowMs'>): boolean =>
  balancer.isWarm(nowMs) && balancer.view.silentMs(nowMs) === undefined;

/** For how long nobody has reported. */
function viewAgeMs(nodes: readonly NodeView[], nowMs: number): number | undefined {
  if (nodes.length === 0) return undefined;
  let newest = Number.NEGATIVE_INFINITY;
  for (const { seenAtMs } of nodes) newest = Math.max(newest, seenAtMs);
  return Math.max(0, nowMs - newest);
}

function sentenceNow({ balancer, nowMs }: CommandContext, nodes: readonly NodeView[]): string {
  const { automatic, view, run, held, policy } = balancer;
  const { strategy, load } = policy.options;
  const isBySessions = strategy === 'least-loaded' && load === 'connections';
  return sentenceOf({
    nodes: nodes.map((n) => ({
      node: n.node,
      state: n.phase,
      sessions: n.stats.sessions,
      pinned: n.pinned,
      reachable: n.stats.reachable,
      memory: n.stats.memory,
      isClockOff: n.isClockOff,
      amqp: n.stats.amqp,
      drain: balancer.drainOf(n),
    })),
    plan: run === undefined ? undefined : planAnswer(run, nowMs),
    mode: automatic.mode,
    isPaused: automatic.isPaused,
    pausedBy: automatic.pausedBy,
    isComplete: isComplete({ balancer, nowMs }),
    silentMs: view.silentMs(nowMs),
    maxOverMean: isBySessions ? maxOverMean(nodes) : undefined,
    isLevel: policy.isLevel(nodes),
    held,
    why: balancer.why,
  });
}
