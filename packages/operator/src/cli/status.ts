import type { NodeStatus, PlanView, StatusAnswer } from '@evenkeel/protocol';
import { type Column, table, whole } from './table.js';
import type { Paint, Style } from './terminal.js';
import { planLine } from './views.js';

const stateStyles: Record<string, Style> = {
  active: 'green',
  joining: 'cyan',
  cordoned: 'yellow',
  draining: 'yellow',
  unreachable: 'red',
  suspect: 'red',
};

export interface StatusTextOptions {
  /** More columns. */
  readonly isWide: boolean;
  /** Finished plans shown at most. Default 5. */
  readonly plans?: number;
}

/** The cluster as a table, with how even it is, what the balancer does and why, and the last plans. */
export function statusText(status: StatusAnswer, paint: Paint, options: StatusTextOptions): string {
  const { isWide, plans = 5 } = options;
  const nodes = status.nodes
    .filter((n) => n.state !== 'gone')
    .sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
  const text = table(nodes, columnsFor(nodes, isWide, paint), (header) => paint('bold', header));
  return [
    nodes.length === 0 ? 'No node has reported yet.' : text,
    '',
    levelLine(nodes),
    ...noteLines(status, nodes),
    `leader  ${nameOf(status.leader)}`,
    ...(status.mode === undefined ? [] : [`mode    ${status.mode}`]),
    ...pauseLines(status),
    `plan    ${status.plan == null ? 'none' : planLine(status.plan)}`,
    ...(status.why === undefined ? [] : [`why     ${status.why}`]),
    ...historyLines(status.history ?? [], plans),
  ].join('\n');
}

function columnsFor(nodes: readonly NodeStatus[], isWide: boolean, paint: Paint): Column<NodeStatus>[] {
  const hasVersions = isWide || new Set(nodes.map((n) => n.version)).size > 1;
  const hasPinned = isWide || nodes.some((n) => (n.pinned ?? 0) > 0);
  return [
    { title: 'NODE', of: (n) => n.node },
    { title: 'STATE', of: stateOf, paint: (text, n) => paint(stateStyles[stateOf(n)] ?? 'dim', text) },
    ...when(hasVersions, { title: 'VERSION', of: (n: NodeStatus) => n.version }),
    { title: 'CONNECTIONS', of: (n) => whole(n.connections), align: 'right' },
    { title: 'SESSIONS', of: (n) => whole(n.sessions), align: 'right' },
    ...when(
      hasPinned,
      number('PINNED', (n) => n.pinned ?? 0),
    ),
    { title: 'CAPACITY', of: (n) => whole(n.capacity), align: 'right' },
    ...when(
      isWide,
      number('WEIGHT', (n) => n.weight),
    ),
    { title: 'EVENTS/S', of: (n) => whole(n.deliveredPerSecond), align: 'right' },
    { title: 'P99 MS', of: (n) => whole(n.handshakeP99Ms), align: 'right' },
    { title: 'CPU', of: (n) => (n.cpu === undefined ? '–' : n.cpu.toFixed(2)), align: 'right' },
    { title: 'URL', of: (n) => n.url },
  ];
}

const when = <T>(condition: boolean, value: T): T[] => (condition ? [value] : []);

const number = (title: string, of: (n: NodeStatus) => number | undefined): Column<NodeStatus> => ({
  title,
  of: (n) => of(n)?.toLocaleString('en-US') ?? '–',
  align: 'right',
});

/** An edge that clients do not come to keeps itself cordoned: that is another matter than an operator's cordon. */
const stateOf = (n: NodeStatus): string =>
  n.reachable === false && n.state === 'cordoned' ? 'unreachable' : n.state;

/** Sums, and how far the fullest node is over the mean of those that share the load. */
function levelLine(nodes: readonly NodeStatus[]): string {
  const sum = nodes.reduce((total, n) => total + n.connections, 0);
  const sharing = nodes.filter((n) => n.state === 'active');
  const perWeight = sharing.map((n) => n.connections / (n.weight ?? 1));
  const weight = sharing.reduce((total, n) => total + (n.weight ?? 1), 0);
  const mean = sharing.reduce((total, n) => total + n.connections, 0) / Math.max(1, weight);
  const most = Math.max(0, ...perWeight);
  // A few connections cannot be shared more evenly than by one.
  const level = most - mean < 1 ? 'level' : `max/mean ${(most / mean).toFixed(3)}`;
  return `total   ${whole(sum)} connections on ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}, ${level}`;
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
  const more = history.length > plansShown ? `, and ${history.length - plansShown} before (--json)` : '';
  return [
    '',
    `last plans${more}`,
    ...history.slice(0, plansShown).map((plan) => {
      const by = plan.by === undefined ? '' : ` by ${plan.by}`;
      const parts = [plan.outcome, plan.why].filter((part) => part !== undefined && part !== '').join('; ');
      const moved = `${whole(plan.done ?? 0)} of ${whole(plan.total ?? 0)} moved`;
      const name = `${plan.kind ?? 'plan'} ${plan.id ?? ''}`.trim();
      const at = plan.startedAt === undefined ? '' : `${clock(plan.startedAt)}  `;
      return `  ${at}${name}${by} ${plan.state ?? ''}: ${moved}${parts === '' ? '' : ` (${parts})`}`;
    }),
  ];
}

/** A time of the day, UTC. */
const clock = (atMs: number): string => `${new Date(atMs).toISOString().slice(11, 19)} UTC`;

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
