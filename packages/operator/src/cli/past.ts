/** What is over: plans, and events. */
import type { MeshEvent, PlanView } from '@evenkeel/protocol';
import { clock, duration, table, whole } from './table.js';
import type { Paint } from './terminal.js';

const outcomeOf = (plan: PlanView): string =>
  [plan.outcome, plan.why].filter((part) => part !== undefined && part !== '').join('; ');

/** A plan that is over, in one line. */
export function pastLine(plan: PlanView): string {
  const by = plan.by === undefined ? '' : ` by ${plan.by}`;
  const outcome = outcomeOf(plan);
  const moved = `${whole(plan.done ?? 0)} of ${whole(plan.total ?? 0)} moved`;
  const name = `${plan.kind ?? 'plan'} ${plan.id ?? ''}`.trim();
  const at = plan.startedAt === undefined ? '' : `${clock(plan.startedAt)}  `;
  return `${at}${name}${by} ${plan.state ?? ''}: ${moved}${outcome === '' ? '' : ` (${outcome})`}`;
}

/** Plans that are over. */
export function historyText(plans: readonly PlanView[], paint: Paint): string {
  if (plans.length === 0) return 'No plan has ended yet.';
  return table(
    plans,
    [
      { title: 'STARTED', of: (p) => (p.startedAt === undefined ? '–' : dateAndTime(p.startedAt)) },
      { title: 'TOOK', of: tookOf },
      { title: 'PLAN', of: (p) => p.id ?? '–' },
      { title: 'KIND', of: (p) => p.kind ?? '–' },
      { title: 'BY', of: (p) => p.by ?? '–' },
      { title: 'STATE', of: (p) => p.state ?? '–' },
      { title: 'MOVED', of: (p) => `${whole(p.done ?? 0)} of ${whole(p.total ?? 0)}`, align: 'right' },
      { title: 'FAILED', of: (p) => whole((p.failed ?? 0) + (p.timedOut ?? 0)), align: 'right' },
      { title: 'WHY', of: outcomeOf },
    ],
    (text) => paint('bold', text),
  );
}

const tookOf = ({ startedAt, endedAt }: PlanView): string =>
  startedAt === undefined || endedAt === undefined ? '–' : duration(Math.max(0, endedAt - startedAt));

/** UTC, to the second. */
export const dateAndTime = (atMs: number): string =>
  new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

/** One thing that has happened, in one line; its text says what has come of it. */
export function eventLine({ at, kind, text, by }: MeshEvent): string {
  const whose = by === undefined || text.includes(by) ? '' : `  (by ${by})`;
  return `${dateAndTime(at)}  ${kind.padEnd(7)}  ${text}${whose}`;
}
