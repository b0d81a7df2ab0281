import type { NodeStats } from '@evenkeel/protocol';
import { listed } from '../core/plan/plan.js';

/** What a sentence is made of: what `status` has. */
export interface Condition {
  readonly nodes: readonly {
    readonly node: string;
    readonly state: string;
    readonly sessions: number;
    readonly pinned?: number;
    readonly reachable?: boolean | undefined;
    readonly memory?: NodeStats['memory'];
    readonly isClockOff?: boolean;
    readonly amqp?: NodeStats['amqp'];
    readonly drain?: { readonly state: string; readonly why?: string } | undefined;
  }[];
  readonly plan:
    | { readonly kind: string; readonly state: string; done: number; total: number; etaMs: number | null }
    | undefined;
  readonly mode: string;
  readonly pausedBy: { readonly by: string; readonly at: number } | undefined;
  readonly isPaused: boolean;
  readonly isComplete: boolean;
  readonly silentMs: number | undefined;
  /** By how much the fullest node is over the mean; undefined: nobody is there. */
  readonly maxOverMean: number | undefined;
  /** Whether that is within the thresholds. */
  readonly isLevel: boolean;
  /** Why it plans nothing at all. */
  readonly held: string | undefined;
  /** Why nothing runs, or what does. */
  readonly why: string;
}

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const seconds = (ms: number): string => `${Math.max(1, Math.round(ms / 1_000))} s`;
const clock = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;
const kinds: Readonly<Record<string, string>> = {
  rebalance: 'levelling',
  drain: 'draining',
  undo: 'undoing',
};

/** What is, what runs, and what is wrong, in one plain sentence: for the command line and the console alike. */
export function sentenceOf(c: Condition): string {
  return `${[whatIs(c), whatRuns(c), ...whatIsWrong(c)].join('; ')}.`;
}

function whatIs({ nodes, isComplete, silentMs, maxOverMean, isLevel }: Condition): string {
  const there = nodes.filter((n) => n.state !== 'gone');
  if (there.length === 0) return isComplete ? 'No node is there' : 'No node is known yet';
  let sessions = 0;
  // Who was on a node that is silent by itself is elsewhere by now, and counted there.
  for (const n of there) sessions += n.state === 'suspect' && silentMs === undefined ? 0 : n.sessions;
  const takers = there.filter((n) => n.state === 'active').length;
  const level = takers < 2 || maxOverMean === undefined ? undefined : levelOf(maxOverMean, isLevel);
  const what = [`${many(there.length, 'node')} with ${many(sessions, 'session')}`, ...(level ?? [])].join(
    ', ',
  );
  if (silentMs !== undefined) return `${what} when they were last heard, ${seconds(silentMs)} ago`;
  return isComplete ? what : `${what}, and perhaps others: this balancer has just begun to lead`;
}

const levelOf = (maxOverMean: number, isLevel: boolean): string[] =>
  isLevel ? ['level'] : [`the fullest ${Math.round((maxOverMean - 1) * 100)} % over the mean`];

function whatRuns(c: Condition): string {
  const { plan } = c;
  if (plan === undefined) return isWaiting(c) ? `nothing runs yet: ${c.why}` : 'nothing runs';
  const { kind, state, done, total, etaMs } = plan;
  const far = `${done} of ${total} moved`;
  const what = `${kinds[kind] ?? kind}, ${far}`;
  if (state === 'paused') return `${what}, paused`;
  if (state === 'stopping') return `${what}, being stopped`;
  return etaMs === null || done >= total ? what : `${what}, about ${seconds(etaMs)} to go`;
}

/** It is not level, and only what cannot be seen otherwise keeps it from being levelled. */
function isWaiting(c: Condition): boolean {
  if (c.isLevel || c.maxOverMean === undefined || c.mode !== 'auto' || c.isPaused) return false;
  return c.held === undefined && c.silentMs === undefined && c.isComplete;
}

function whatIsWrong(c: Condition): string[] {
  const { nodes, isPaused, pausedBy, mode, held, silentMs } = c;
  const where = (is: (n: Condition['nodes'][number]) => boolean, ...says: [one: string, more: string]) => {
    const names = nodes.filter(is).map((n) => n.node);
    if (names.length === 0) return [];
    return [`${listed(names)} ${says[names.length === 1 ? 0 : 1]}`];
  };
  let pinned = 0;
  for (const n of nodes) pinned += n.state === 'gone' ? 0 : (n.pinned ?? 0);
  const stayed = nodes.filter((n) => n.drain?.state === 'stayed');
  return [
    ...(held === undefined ? [] : [held]),
    ...(silentMs === undefined ? [] : ['no node is heard, so it may be the broker']),
    ...(isPaused && held === undefined ? [pausedSince(pausedBy)] : []),
    ...(!isPaused && mode === 'manual' ? ['nothing is levelled without being asked for: manual mode'] : []),
    ...where((n) => n.state === 'suspect' && silentMs === undefined, 'does not report', 'do not report'),
    ...where((n) => n.state === 'gone', 'is gone', 'are gone'),
    ...where((n) => n.reachable === false, 'is not reached by clients', 'are not reached by clients'),
    ...where((n) => n.memory?.isLow === true, 'is low on memory', 'are low on memory'),
    ...where((n) => n.isClockOff === true, 'has a clock that is off', 'have clocks that are off'),
    ...where(
      (n) => n.amqp?.isBlocked === true,
      'is blocked by an alarm of RabbitMQ',
      'are blocked by an alarm of RabbitMQ',
    ),
    ...where(
      (n) => (n.amqp?.recovering ?? 0) > 0,
      'has lost consumers and makes them again',
      'have lost consumers and make them again',
    ),
    ...stayed.map(
      (n) =>
        `${n.node} is not empty, ${n.sessions} stay${n.sessions === 1 ? 's' : ''}: ${n.drain?.why ?? ''}`,
    ),
    ...where(
      (n) => n.state === 'cordoned' && n.reachable !== false && !n.memory?.isLow && n.drain === undefined,
      'is cordoned',
      'are cordoned',
    ),
    ...where((n) => n.state === 'draining' && n.drain?.state === 'empty', 'is drained', 'are drained'),
    ...(pinned > 0 ? [`${many(pinned, 'session')} pinned by the front`] : []),
  ];
}

const pausedSince = (pausedBy: Condition['pausedBy']): string =>
  pausedBy === undefined
    ? 'levelling is paused'
    : `levelling is paused by ${pausedBy.by} since ${clock(pausedBy.at)}`;
