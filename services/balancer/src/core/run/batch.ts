import { type CommandOf, type MoveProgress, type NodeStats, ticketBoot } from '@evenkeel/protocol';
import type { Plan, PlanStep } from '../plan/plan.js';

/** One command of a step: so many sessions at once. */
export interface Batch {
  readonly move: string;
  readonly count: number;
  readonly command: CommandOf<'reconnect'>;
  sentAtMs: number;
  /** When it was sent, asked about or reported last. */
  heardAtMs: number;
  resends: number;
  report: MoveProgress | undefined;
  isSettled: boolean;
}

/** Of those asked for: `refused` is part of `asked`. */
export const settledOf = (p: MoveProgress) => p.done + p.failed + p.timedOut;
/** Of those that failed: an edge of before says nothing of it. */
export const pinnedOf = (p: MoveProgress) => Math.min(p.pinned ?? 0, p.failed);
/** Clients that left while they were asked to move, in whatever way. */
export const leftOf = (p: Pick<MoveProgress, 'failed' | 'pinned'>) =>
  p.failed - Math.min(p.pinned ?? 0, p.failed);
/** That a client has left, or that the front brings it back, says nothing about the target: only that it stays and does not move. */
const badOf = (p: MoveProgress) => p.timedOut;

/** What a report adds to the one before it, of moves ended and of those that ended badly. */
export function addedBy(report: MoveProgress, before: MoveProgress | undefined) {
  const since = (of: (p: MoveProgress) => number) =>
    Math.max(0, of(report) - (before === undefined ? 0 : of(before)));
  return { sent: since((p) => p.sent), settled: since(settledOf), bad: since(badOf) };
}

/** Name of the `number`th batch of a step. It follows from the plan, so an edge recognises a repeat, whoever sends it. */
export const batchName = (plan: Plan, step: number, number: number): string => `${plan.id}.${step}.${number}`;

export function makeBatch(
  move: string,
  plan: Plan,
  { to, load, closesPerSecond }: PlanStep,
  { target, count, perSecond }: { target: NodeStats; count: number; perSecond: number },
  nowMs: number,
): Batch {
  const boot = ticketBoot(target);
  const command: CommandOf<'reconnect'> = {
    command: 'reconnect',
    move,
    to: { node: to, url: target.url, ...(boot === undefined ? {} : { boot }) },
    count,
    ratePerSecond: closesPerSecond ?? Math.max(1, Math.round(perSecond)),
    deadlineMs: plan.moveDeadlineMs,
    reason: plan.kind,
    ...(plan.ring === undefined ? {} : { ring: plan.ring }),
    ...(closesPerSecond === undefined ? {} : { pinned: 'close' as const }),
    ...(load === undefined ? {} : { by: plan.load === 'bytes' ? 'bytes' : 'events', load }),
  };
  return {
    move,
    count,
    command,
    sentAtMs: nowMs,
    heardAtMs: nowMs,
    resends: 0,
    report: undefined,
    isSettled: false,
  };
}
