import { type NodePhase, nodePhases } from './liveness.js';

/** Every state that a node is counted under. */
export const nodeStates = [...nodePhases, 'unreachable', 'low-memory'] as const;
export type NodeState = (typeof nodeStates)[number];

/** What is known of a node: its phase, whether clients that dial its URL get there, and whether its memory is low. */
export interface StatedNode {
  readonly state: NodePhase;
  readonly reachable?: boolean | undefined;
  readonly memory?: { readonly isLow?: boolean | undefined } | undefined;
}

/** An edge that clients do not come to, or whose memory is low, keeps itself cordoned: that is another matter than an operator's cordon. */
export function shownState({ state, reachable, memory }: StatedNode): NodeState {
  if (state !== 'cordoned') return state;
  if (reachable === false) return 'unreachable';
  return memory?.isLow === true ? 'low-memory' : state;
}

/** How many nodes there are of each state, of those without any too. */
export function countByState(nodes: Iterable<StatedNode>): Map<NodeState, number> {
  const counts = new Map<NodeState, number>(nodeStates.map((state) => [state, 0]));
  for (const node of nodes) {
    const state = shownState(node);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
