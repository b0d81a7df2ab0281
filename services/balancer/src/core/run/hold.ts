import type { CommandOf } from '@evenkeel/protocol';
import type { NodeView } from '../cluster/state.js';

/** Often enough for an edge that closes what nobody moves after a few seconds, ms. */
const everyMs = 1_000;

/** A command that moves nobody: every version of an edge takes it as a sign that a balancer cares for its sessions. */
const holdCommand = ({ node, stats }: NodeView): CommandOf<'reconnect'> => ({
  command: 'reconnect',
  move: `hold.${stats.boot}`.slice(0, 128),
  to: { node, url: stats.url },
  sessions: [],
  reason: 'nothing fits yet',
});

/** Keeps edges that shut down waiting while nobody has room for their sessions: they have more time than they need for that. */
export class Hold {
  #lastAtMs = new Map<string, number>();

  /** Sends what is due to these nodes, first after a while: most are moved from by then. Others are held no more. */
  tick(
    nodes: readonly NodeView[],
    send: (node: string, command: CommandOf<'reconnect'>) => void,
    nowMs: number,
  ): void {
    const kept = new Map<string, number>();
    for (const n of nodes) {
      const lastAtMs = this.#lastAtMs.get(n.node) ?? nowMs;
      const isDue = nowMs - lastAtMs >= everyMs;
      if (isDue) send(n.node, holdCommand(n));
      kept.set(n.node, isDue ? nowMs : lastAtMs);
    }
    this.#lastAtMs = kept;
  }
}
