import type { DoneAnswer, PlanAnswer, PlanStep, PlanView, SessionsAnswer } from '@evenkeel/protocol';
import { toUid } from '@evenkeel/protocol';
import { progressOf } from './progress.js';
import { type Column, duration, table, whole } from './table.js';
import type { Paint } from './terminal.js';

/** A plan in one line. */
export function planLine(plan: PlanView): string {
  const { done, total, etaMs } = progressOf(plan);
  const isUnderWay = plan.state === 'running' || plan.state === undefined;
  const name = [plan.kind, plan.id].filter((part) => part != null).join(' ');
  return [
    `${name} ${plan.state ?? ''} ${whole(done)} of ${whole(total)} moved`.trim(),
    ...((plan.pinned ?? 0) > 0 ? [`${whole(plan.pinned)} pinned by the front`] : []),
    ...(etaMs === undefined || !isUnderWay ? [] : [`about ${duration(etaMs)} to go`]),
  ].join(', ');
}

/** What pausing, resuming, aborting or undoing has come to. */
export function steeredText(
  verb: 'pause' | 'resume' | 'abort' | 'undo',
  answer: PlanAnswer,
  paint: Paint,
): string {
  const isPaused = answer.isPaused === true;
  const text = answer.plan == null ? `${verb}: done` : planText(answer.plan, paint);
  if (verb === 'undo' && isPaused)
    return `${text}\n\nAutomatic rebalancing is paused now, else it would undo the undoing: evenkeel resume ends that.`;
  if (verb === 'abort' && Array.isArray(answer.withdrawn))
    return `${text}\n\nNobody wants ${answer.withdrawn.join(', ')} empty any more: evenkeel uncordon lets clients in again, drain begins anew.`;
  if (verb === 'abort' && answer.plan?.kind === 'rebalance')
    return `${text}\n\nNothing is rebalanced for 5 minutes: evenkeel resume ends that, pause keeps it so.`;
  if (answer.plan != null) return text;
  if (verb === 'pause') return 'Automatic rebalancing is paused until evenkeel resume; drains go on.';
  return verb === 'resume' ? 'Automatic rebalancing goes on.' : text;
}

/** Of nodes that take clients again as far as operators are concerned, those that keep them off by themselves. */
export function stillCordonedLines({ unreachable, lowOnMemory }: DoneAnswer): string[] {
  const lines = (nodes: unknown, why: string) =>
    Array.isArray(nodes) ? nodes.map((node) => `${String(node)} stays cordoned for now: ${why}`) : [];
  return [
    ...lines(unreachable, 'clients that dial its URL do not come to it; its log says what they meet'),
    ...lines(lowOnMemory, 'its memory is low'),
  ];
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
    const nothing =
      why === undefined || why === 'nothing to move' ? 'Nothing to move.' : `Nothing to move: ${why}.`;
    return [nothing, ...stayLines(plan ?? {})].join('\n');
  }
  const eta = etaMs === undefined ? '' : `, about ${duration(etaMs)}`;
  const title = [plan.kind ?? 'plan', plan.id, plan.state].filter((part) => part != null).join(' ');
  return [
    `${paint('bold', title)}: ${whole(total)} moves${eta}`,
    ...((plan.why ?? plan.reason) === undefined ? [] : [`why: ${plan.why ?? plan.reason}`]),
    ...stayLines(plan),
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

/** Who stays where they should not, and why. */
function stayLines({ unplaced = 0, unplacedByNode = {}, pinned = 0 }: PlanView): string[] {
  const byNode = Object.entries(unplacedByNode).map(([node, count]) => `${whole(count)} of ${node}`);
  const whose = byNode.length === 0 ? '' : ` (${byNode.join(', ')})`;
  return [
    ...(unplaced > 0
      ? [`no room: ${whole(unplaced)} more would have to go${whose}, and no active node has room for them`]
      : []),
    ...(pinned > 0 ? [`${whole(pinned)} pinned by the front`] : []),
  ];
}

/** As commands take it: `<uid>.<sid>`, or what is known of it. */
export const sessionName = (user: string | undefined, session: string): string =>
  user === undefined || session.includes('.') ? session : `${toUid(user)}.${session}`;

/** Where a user's sessions are, and how far behind. */
export function sessionsText(user: string, answer: SessionsAnswer, nowMs: number, paint: Paint): string {
  const sessions = answer.sessions ?? [];
  const missing = answer.missing ?? [];
  const silent = missing.length === 0 ? [] : [`No answer from ${missing.join(', ')}.`];
  if (sessions.length === 0) return [`${user} is not connected.`, ...silent].join('\n');
  const ago = (atMs: number | undefined) => (atMs === undefined ? '–' : duration(Math.max(0, nowMs - atMs)));
  const text = table(
    sessions,
    [
      { title: 'SESSION', of: (s) => s.session },
      { title: 'NODE', of: (s) => s.node },
      { title: 'STATE', of: (s) => (s.isAttached === false ? 'away' : 'attached') },
      { title: 'FOR', of: (s) => ago(s.since) },
      { title: 'QUEUED', of: (s) => whole(s.queued), align: 'right' },
      { title: 'UNACKED', of: (s) => whole(s.unacked), align: 'right' },
      { title: 'LAST ACK', of: (s) => (s.lastAckAt === undefined ? '–' : `${ago(s.lastAckAt)} ago`) },
      { title: 'ADDRESS', of: (s) => s.address ?? '–' },
    ],
    (heading) => paint('bold', heading),
  );
  return [text, ...silent].join('\n');
}
