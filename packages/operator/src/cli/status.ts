import type { NodeStatus, PlanView, StatusAnswer } from '@evenkeel/protocol';
import { nodeColumns, type Selection, selected, when } from './nodes.js';
import { pastLine } from './past.js';
import { clock, counted, duration, percent, table, whole } from './table.js';
import type { Paint } from './terminal.js';
import { planLine } from './views.js';

export interface StatusTextOptions extends Selection {
  /** More columns. */
  readonly isWide: boolean;
  /** Finished plans shown at most. Default 5. */
  readonly plans?: number;
  /** Places in a line; columns that do not fit are left out. */
  readonly columns?: number;
}

/** The cluster as a table, with how even it is, what the balancer does and why, and the last plans. */
export function statusText(status: StatusAnswer, paint: Paint, options: StatusTextOptions): string {
  const { isWide, plans = 5, columns } = options;
  const nodes = selected(status.nodes, options);
  const text = table(
    nodes,
    nodeColumns(nodes, { isWide, paint }),
    (header) => paint('bold', header),
    columns,
  );
  return [
    nodes.length === 0 ? noneText(options) : text,
    '',
    ...summaryLines(status),
    ...historyLines(status.history ?? [], plans),
  ].join('\n');
}

/** Why no node is shown. */
export const noneText = ({ states }: Selection): string =>
  states === undefined ? 'No node has reported yet.' : `No node is ${states.join(' or ')}.`;

/** What is to be known of the cluster as a whole; at most so many notes about its nodes. */
export function summaryLines(status: StatusAnswer, maxNotes = Number.POSITIVE_INFINITY): string[] {
  const nodes = selected(status.nodes, {});
  const notes = noteLines(status, nodes);
  const more = notes.length - maxNotes;
  return [
    ...(status.sentence === undefined ? [] : [`now     ${status.sentence}`]),
    levelLine(nodes, status),
    ...trafficLines(status),
    ...notes.slice(0, maxNotes),
    ...when(more > 0, `note    and ${more} more (evenkeel status)`),
    `leader  ${nameOf(status.leader)}${leadingFor(status)}`,
    ...(status.mode === undefined ? [] : [`mode    ${status.mode}`]),
    ...settingLines(status),
    ...pauseLines(status),
    `plan    ${status.plan == null ? 'none' : planLine(status.plan)}`,
    ...(status.why === undefined ? [] : [`why     ${status.why}`]),
  ];
}

/** Sums, and how far the fullest node is over the mean of those that share the load. */
function levelLine(nodes: readonly NodeStatus[], { level }: StatusAnswer): string {
  const sum = nodes.reduce((total, n) => total + n.connections, 0);
  const how = level === undefined ? '' : `, max/mean ${level.maxOverMean.toFixed(3)}`;
  return `total   ${counted(sum, 'connection')} on ${counted(nodes.length, 'node')}${how}`;
}

/** What nodes report of the events that they pass on. */
function trafficLines({ totals }: StatusAnswer): string[] {
  if (totals === undefined) return [];
  const { eventsPerSecond, publishToSocketP99Ms: p99Ms, gapsLastHour: gaps } = totals;
  const parts = [
    `${whole(eventsPerSecond)} a second`,
    ...(p99Ms === undefined ? [] : [`p99 ${whole(p99Ms)} ms from publisher to socket`]),
    ...(gaps === undefined ? [] : [`${counted(gaps, 'gap')} in the last hour`]),
  ];
  return [`events  ${parts.join(', ')}`];
}

const leadingFor = ({ leaderSince }: StatusAnswer): string =>
  leaderSince === undefined ? '' : ` for ${duration(Math.max(0, Date.now() - leaderSince))}`;

function settingLines({ settingsChanged: names = [] }: StatusAnswer): string[] {
  return when(names.length > 0, `set     ${names.join(', ')}, live (evenkeel settings)`);
}

/** What else is to be known of the nodes. */
function noteLines(status: StatusAnswer, nodes: readonly NodeStatus[]): string[] {
  const pinned = nodes.reduce((total, n) => total + (n.pinned ?? 0), 0);
  return [
    ...silenceLines(status, nodes),
    ...when(pinned > 0, `pinned  ${whole(pinned)} by the front; plans leave them out`),
    ...nodes
      .filter((n) => n.isClockOff === true)
      .map(
        (n) =>
          `note    ${n.node}: ${clockText(n.clockAheadMs ?? 0)}; it is avoided: set the clock of its host (NTP)`,
      ),
    ...nodes
      .filter((n) => n.reachable === false)
      .map(
        (n) => `note    ${n.node}: clients that dial its URL do not come to it; its log says what they meet`,
      ),
    ...nodes
      .filter((n) => n.memory?.isLow === true)
      .map(
        (n) => `note    ${n.node}: ${percent(n.memory?.part)} of its memory is used; it takes no newcomers`,
      ),
    ...nodes.filter((n) => n.drain !== undefined).map((n) => `drain   ${n.node} ${drainText(n)}`),
    ...cordonLines(status, nodes),
  ];
}

const clockText = (aheadMs: number): string =>
  `its clock is ${whole(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the others`;

/** That the nodes may be others than those shown. */
function silenceLines({ isComplete, silentMs }: StatusAnswer, nodes: readonly NodeStatus[]): string[] {
  if (silentMs !== undefined)
    return [
      `note    no node is heard for ${Math.round(silentMs / 1000)} s: it may be the connection to the broker; this is the last view`,
    ];
  if (isComplete !== false || nodes.length === 0) return [];
  return ['note    this balancer has just started and may not know every node yet'];
}

function cordonLines({ cordons = [] }: StatusAnswer, nodes: readonly NodeStatus[]): string[] {
  const isHere = new Set(nodes.map((n) => n.node));
  return cordons.map(({ node, by }) => {
    const where = isHere.has(node) ? 'and stays so over restarts' : 'and is not there now';
    return `cordon  ${node} by ${by}, ${where}; evenkeel uncordon ${node} ends it`;
  });
}

function drainText({ drain, sessions }: NodeStatus): string {
  const by = drain?.by === undefined || drain.by === 'auto' ? '' : ` by ${drain.by}`;
  if (drain?.state === 'stayed') return `ended${by}, ${whole(sessions)} stayed: ${drain.why ?? 'not moved'}`;
  return drain?.state === 'empty' ? `done${by}` : `under way${by}, ${whole(sessions)} left`;
}

function pauseLines({ isPaused, pausedBy }: StatusAnswer): string[] {
  if (isPaused !== true) return [];
  const by = pausedBy === undefined ? '' : ` by ${pausedBy.by} since ${clock(pausedBy.at)}`;
  const why = pausedBy?.why === undefined ? '' : ` (${pausedBy.why})`;
  return [`paused  automatic rebalancing${by}${why}; evenkeel resume ends it`];
}

/** `--json` has all that the balancer remembers. */
function historyLines(history: readonly PlanView[], plansShown: number): string[] {
  if (history.length === 0 || plansShown === 0) return [];
  const more =
    history.length > plansShown ? `, and ${history.length - plansShown} before (evenkeel history)` : '';
  return ['', `last plans${more}`, ...history.slice(0, plansShown).map((plan) => `  ${pastLine(plan)}`)];
}

function nameOf(leader: unknown): string {
  if (typeof leader === 'string') return leader;
  if (typeof leader === 'object' && leader !== null) {
    for (const field of ['id', 'name', 'balancer', 'node']) {
      const value: unknown = Reflect.get(leader, field);
      if (typeof value === 'string') return value;
    }
  }
  return 'none';
}
