import type { NodeClocks } from '@evenkeel/cluster';
import type { Command } from './core/balancer.js';

/** What a clock may be off without mention, ms: tickets live for seconds. */
const unmentionedMs = 500;

/** A command for `node`, with what it needs to write tickets in the time of the edge that it sends its sessions to. */
export function withClock(
  node: string,
  command: Command,
  clocks: Pick<NodeClocks, 'ticketsAheadMs'>,
): Command {
  if (command.command !== 'reconnect') return command;
  const clockAheadMs = Math.round(clocks.ticketsAheadMs(command.to.node) - clocks.ticketsAheadMs(node));
  if (Math.abs(clockAheadMs) <= unmentionedMs) return command;
  return { ...command, to: { ...command.to, clockAheadMs } };
}
