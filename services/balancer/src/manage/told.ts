import type { NodeView } from '../core/cluster/state.js';
import { attemptKey } from '../core/plan/drains.js';

type CordonCommand = 'cordon' | 'uncordon';

/** How long a node's reports may be older than what it was told last, ms: then it has reported, or is gone. */
const unreportedMs = 5_000;

/** What nodes were told last, until their reports show it: a report may have been on its way when the command was sent. */
export class Told {
  readonly #last = new Map<string, { command: CordonCommand; atMs: number }>();

  note(node: NodeView, command: CordonCommand, nowMs: number): void {
    for (const [key, { atMs }] of this.#last) if (nowMs - atMs > unreportedMs) this.#last.delete(key);
    this.#last.set(attemptKey(node), { command, atMs: nowMs });
  }

  isCordoned(node: NodeView, nowMs: number): boolean {
    const last = this.#last.get(attemptKey(node));
    if (last === undefined || nowMs - last.atMs > unreportedMs) return node.phase === 'cordoned';
    return last.command === 'cordon';
  }
}
