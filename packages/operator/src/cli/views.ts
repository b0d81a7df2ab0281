import type { NodeStatus, PlanStep, PlanView, SessionsAnswer, StatusAnswer } from '@evenkeel/protocol';
import { progressOf } from './progress.js';
import { type Column, duration, table, whole } from './table.js';
import type { Paint, Style } from './terminal.js';

const stateStyles: Record<string, Style> = {
  active: 'green',
  joining: 'cyan',
  cordoned: 'yellow',
  draining: 'yellow',
  suspect: 'red',
};

/** The cluster as a table, with how even it is and the running plan. */
export function statusText(status: StatusAnswer, paint: Paint): string {
  const columns: Column<NodeStatus>[] = [
    { title: 'NODE', of: (n) => n.node },
    {
      title: 'STATE',
      of: (n) => n.state,
      paint: (text, n) => paint(stateStyles[n.state] ?? 'dim', text),
    },
    { title: 'VERSION', of: (n) => n.version },
    { title: 'CONNECTIONS', of: (n) => whole(n.connections), align: 'right' },
    { title: 'SESSIONS', of: (n) => whole(n.sessions), align: 'right' },
    { title: 'EVENTS/S', of: (n) => whole(n.deliveredPerSecond), align: 'right' },
    { title: 'P99 MS', of: (n) => whole(n.handshakeP99Ms), align: 'right' },
    { title: 'CPU', of: (n) => (n.cpu === undefined ? '–' : n.cpu.toFixed(2)), align: 'right' },
    { title: 'URL', of: (n) => n.url },
  ];
  const nodes = status.nodes
    .filter((n) => n.state !== 'gone')
    .sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }));
  const lines = [
    nodes.length === 0 ? 'No nodes.' : table(nodes, columns, (text) => paint('bold', text)),
    '',
    levelLine(nodes),
    `leader  ${nameOf(status.leader)}`,
    `plan    ${status.plan == null ? 'none' : planLine(status.plan)}`,
  ];
  return lines.join('\n');
}

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
  return `total   ${whole(sum)} connections on ${nodes.length} nodes, ${level}`;
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

export function planLine(plan: PlanView): string {
  const { done, total, etaMs } = progressOf(plan);
  const eta = etaMs === undefined || plan.state === 'done' ? '' : `, about ${duration(etaMs)} to go`;
  const name = [plan.kind, plan.id].filter((part) => part != null).join(' ');
  return `${name} ${plan.state ?? ''} ${whole(done)} of ${whole(total)} moved${eta}`.trim();
}

const outcomeColumns: Column<PlanStep>[] = [
  { title: 'DONE', of: (s) => whole(s.done ?? 0), align: 'right' },
  { title: 'FAILED', of: (s) => whole((s.failed ?? 0) + (s.timedOut ?? 0)), align: 'right' },
];

/** A plan with its moves. */
export function planText(plan: PlanView | null | undefined, paint: Paint): string {
  const { total, etaMs } = progressOf(plan ?? {});
  if (plan == null || (total === 0 && (plan.moves ?? []).length === 0)) {
    const why = plan?.why ?? plan?.reason;
    return why === undefined || why === 'nothing to move' ? 'Nothing to move.' : `Nothing to move: ${why}.`;
  }
  const eta = etaMs === undefined ? '' : `, about ${duration(etaMs)}`;
  const title = [plan.kind ?? 'plan', plan.id, plan.state].filter((part) => part != null).join(' ');
  return [
    `${paint('bold', title)}: ${whole(total)} moves${eta}`,
    ...((plan.why ?? plan.reason) === undefined ? [] : [`why: ${plan.why ?? plan.reason}`]),
    '',
    table(
      plan.moves ?? [],
      [
        { title: 'FROM', of: (s) => s.from },
        { title: 'TO', of: (s) => s.to },
        { title: 'SESSIONS', of: (s) => whole(s.count), align: 'right' },
        // A plan that has not begun has nothing to show for itself.
        ...(plan.state === undefined ? [] : outcomeColumns),
      ],
      (text) => paint('bold', text),
    ),
  ].join('\n');
}

/** Where a user's sessions are. */
export function sessionsText(user: string, answer: SessionsAnswer, nowMs: number, paint: Paint): string {
  const sessions = answer.sessions ?? [];
  if (sessions.length === 0) return `${user} is not connected.`;
  return table(
    sessions,
    [
      { title: 'SESSION', of: (s) => s.session },
      { title: 'NODE', of: (s) => s.node },
      { title: 'FOR', of: (s) => (s.since === undefined ? '–' : duration(Math.max(0, nowMs - s.since))) },
      { title: 'UNACKED', of: (s) => whole(s.unacked), align: 'right' },
    ],
    (text) => paint('bold', text),
  );
}
