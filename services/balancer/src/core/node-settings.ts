import type { CommandOf, NodeSettingName, NodeStats } from '@evenkeel/protocol';
import { isHere, type NodeView } from './cluster/state.js';
import type { Setter } from './live-settings.js';

/** What operators have set of one node, whatever its process. */
export interface NodeSettings extends Setter {
  readonly node: string;
  readonly weight?: number;
  readonly capacity?: number;
}

/** Nodes of which anything is set at most; the oldest is forgotten. */
const mostNodes = 5_000;
/** A node that has been told reports so within this, ms; then it is told again. */
const toldMs = 2_000;

/** What is set of nodes. An edge forgets it with its process, so whichever reports otherwise is told. */
export class NodeSetting {
  readonly wishes = new Map<string, NodeSettings>();
  readonly #toldAtMs = new Map<string, number>();

  restore(wishes: readonly NodeSettings[]): void {
    this.wishes.clear();
    for (const wish of wishes) this.#keep(wish);
  }

  /** Sets one; undefined: back to what the node's environment says. */
  set(node: string, name: NodeSettingName, value: number | undefined, by: Setter): void {
    const { weight, capacity } = this.wishes.get(node) ?? {};
    const values = { weight, capacity, [name]: value };
    this.#keep({
      node,
      ...by,
      ...(values.weight === undefined ? {} : { weight: values.weight }),
      ...(values.capacity === undefined ? {} : { capacity: values.capacity }),
    });
  }

  /** As it was before, where it could not be told. */
  undo(node: string, before: NodeSettings | undefined): void {
    this.wishes.delete(node);
    if (before !== undefined) this.#keep(before);
  }

  /** What the node is to be told. */
  commandFor(node: string): CommandOf<'set'> {
    const { weight, capacity } = this.wishes.get(node) ?? {};
    return {
      command: 'set',
      ...(weight === undefined ? {} : { weight }),
      ...(capacity === undefined ? {} : { capacity }),
    };
  }

  /** A node has just been told by somebody else. */
  told(node: string, nowMs: number): void {
    this.#toldAtMs.set(node, nowMs);
  }

  /** Tells those that report otherwise. Returns their names. */
  keep(
    nodes: readonly NodeView[],
    send: (node: string, command: CommandOf<'set'>) => void,
    nowMs: number,
  ): string[] {
    for (const [node, atMs] of this.#toldAtMs) if (nowMs - atMs > toldMs) this.#toldAtMs.delete(node);
    const due = nodes.filter((n) => isHere(n) && !this.#toldAtMs.has(n.node) && this.#isOff(n.stats));
    for (const { node } of due) {
      this.#toldAtMs.set(node, nowMs);
      send(node, this.commandFor(node));
    }
    return due.map(({ node }) => node);
  }

  #isOff({ node, live }: NodeStats): boolean {
    // An older edge takes none.
    if (live === undefined) return false;
    const wish = this.wishes.get(node);
    return live.weight !== wish?.weight || live.capacity !== wish?.capacity;
  }

  #keep(wish: NodeSettings): void {
    this.wishes.delete(wish.node);
    if (wish.weight === undefined && wish.capacity === undefined) return;
    this.wishes.set(wish.node, wish);
    const [oldest] = this.wishes.keys();
    if (this.wishes.size > mostNodes && oldest !== undefined) this.wishes.delete(oldest);
  }
}
