import { replyWaitMs } from '@evenkeel/mesh';
import { sleep, steadyNow } from '@evenkeel/pace';
import type { ManageCommand } from '@evenkeel/protocol';

/** A command that needs every node waits this long for a balancer that has just begun to lead. */
export const warmUpWaitMs = 4_000;

const everyMs = 100;

/** They move sessions: too late is not at all. */
const moving: ReadonlySet<ManageCommand['command']> = new Set(['rebalance', 'drain']);
/** They ask every edge, and name those that do not answer. */
const asking: ReadonlySet<ManageCommand['command']> = new Set([
  'where',
  'session',
  'disconnect',
  'send-back',
  'forget',
]);

/** How long a command may wait until every node is known; 0: it does not. `leftMs`: how long its sender still waits. */
export function warmUpWaitOf({ command }: Pick<ManageCommand, 'command'>, leftMs: number): number {
  // Edges are to have their second, too.
  const mostMs = moving.has(command) ? leftMs : asking.has(command) ? leftMs - replyWaitMs : 0;
  return Math.max(0, Math.min(warmUpWaitMs, mostMs));
}

/** Waits until `isWarm`, for `waitMs` at most. */
export async function warmedUp(isWarm: () => boolean, waitMs: number): Promise<void> {
  const endsAtMs = steadyNow() + waitMs;
  while (!isWarm() && steadyNow() < endsAtMs) await sleep(everyMs);
}
