import { type NodePhase, nodePhases } from './liveness.js';

/** Every state that a node is counted under. */
export const nodeStates = [...nodePhases, 'unreachable'] as const;
export type NodeState = (typeof nodeStates)[number];

/** What is known of a node: its phase, and whether clients that dial its URL get there. */
export interface StatedNode {
  readonly state: NodePhase;
  readonly reachable?: boolean | undefined;
}

/** An edge that clients do not come to keeps itself cordoned: that is another matter than an operator's cordon. */
export const shownState = ({ state, reachable }: StatedNode): NodeState =>
  reachable === false && state === 'cordoned' ? 'unreachable' : state;

/** How many nodes there are of each state, of those without any too. */
export function countByState(nodes: Iterable<StatedNode>): Map<NodeState, number> {
  const counts = new Map<NodeState, number>(nodeStates.map((state) => [state, 0]));
  for (const node of nodes) {
    const state = shownState(node);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
