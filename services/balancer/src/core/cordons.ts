import type { CommandOf } from '@evenkeel/protocol';
import { isHere, type NodeView } from './cluster/state.js';
import type { DrainGoals } from './plan/drains.js';

/** A node that an operator keeps clients from: of that name, whatever its process. */
export interface Cordon {
  readonly node: string;
  readonly by: string;
  /** ms since the epoch */
  readonly at: number;
}

/** Cordons at most; the oldest is forgotten. */
const mostCordons = 5_000;
/** A node that has been told reports so within this, ms; then it is told again. */
const toldMs = 2_000;

/** Nodes that are to be cordoned. An edge forgets it with its process, so whichever reports otherwise is told. */
export class Cordons {
  readonly wishes = new Map<string, Cordon>();
  readonly #toldAtMs = new Map<string, number>();

  set(cordon: Cordon): void {
    this.wishes.delete(cordon.node);
    this.wishes.set(cordon.node, cordon);
    const [oldest] = this.wishes.keys();
    if (this.wishes.size > mostCordons && oldest !== undefined) this.wishes.delete(oldest);
  }

  /** A node has just been told by somebody else. */
  told(node: string, nowMs: number): void {
    this.#toldAtMs.set(node, nowMs);
  }

  /** Cordons those that are to be and are not, those that are to be empty as well. Returns their names. */
  keep(
    nodes: readonly NodeView[],
    goals: DrainGoals,
    send: (node: string, command: CommandOf<'cordon'>) => void,
    nowMs: number,
  ): string[] {
    for (const [node, atMs] of this.#toldAtMs) if (nowMs - atMs > toldMs) this.#toldAtMs.delete(node);
    const isMeant = ({ node }: NodeView) => {
      const goal = goals.get(node);
      return this.wishes.has(node) || (goal !== undefined && goal.ended === undefined);
    };
    const due = nodes.filter(
      (n) => isHere(n) && n.stats.state === 'active' && !this.#toldAtMs.has(n.node) && isMeant(n),
    );
    for (const { node } of due) {
      this.#toldAtMs.set(node, nowMs);
      send(node, { command: 'cordon' });
    }
    return due.map(({ node }) => node);
  }
}
