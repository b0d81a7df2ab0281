import type { CommandOf } from '@evenkeel/protocol';
import type { NodeView } from '../cluster/state.js';

/** Often enough for an edge that closes what nobody moves after a few seconds, ms. */
const everyMs = 1_000;

/** A command that moves nobody: every version of an edge takes it as a sign that a balancer cares for its sessions. */
export const holdCommand = ({ node, stats }: NodeView): CommandOf<'reconnect'> => ({
  command: 'reconnect',
  move: `hold.${stats.boot}`.slice(0, 128),
  to: { node, url: stats.url },
  sessions: [],
  reason: 'nothing fits yet',
});

/** Keeps edges that shut down waiting while nobody has room for their sessions: they have more time than they need for that. */
export class Hold {
  #sentAtMs = new Map<string, number>();

  /** Sends what is due to these nodes; those that are not among them are held no more. */
  tick(
    nodes: readonly NodeView[],
    send: (node: string, command: CommandOf<'reconnect'>) => void,
    nowMs: number,
  ): void {
    const kept = new Map<string, number>();
    for (const n of nodes) {
      const sentAtMs = this.#sentAtMs.get(n.node);
      const isDue = sentAtMs === undefined || nowMs - sentAtMs >= everyMs || sentAtMs > nowMs;
      if (isDue) send(n.node, holdCommand(n));
      kept.set(n.node, isDue ? nowMs : sentAtMs);
    }
    this.#sentAtMs = kept;
  }
}
