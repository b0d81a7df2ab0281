import { boundedShare, byVersion } from '@evenkeel/cluster';
import type { Candidate } from './candidate.js';

/**
 * While several versions are running: the nodes of the newest one that has room, so that a client which has
 * to move moves once. Room means below `bound` × the fair share of everything, `draining` load included: the
 * first new node must not take all that arrives. With one version, or no room on any newer one, all nodes.
 */
export function preferNewest(
  nodes: readonly Candidate[],
  draining: number,
  bound: number,
): readonly Candidate[] {
  const versions = byVersion(nodes, (n) => n.version);
  if (versions.length < 2) return nodes;
  const total = totalOf(nodes, draining);
  for (const members of versions.slice(0, -1)) {
    const withRoom = members.filter((n) => !n.isAiling && n.load + 1 <= boundedShare(n.weight, total, bound));
    if (withRoom.length > 0) return withRoom;
  }
  return nodes;
}

/** Load and weight of `nodes` together, and `more` load that is to fit on them. */
export function totalOf(nodes: readonly Candidate[], more = 0): { load: number; weight: number } {
  let load = more;
  let weight = 0;
  for (const node of nodes) {
    load += node.load;
    weight += node.weight;
  }
  return { load, weight };
}
