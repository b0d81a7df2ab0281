import type { Candidate } from './candidate.js';

const numeric = new Intl.Collator('en', { numeric: true });

/** Orders versions: numbers in them as numbers (1.10 after 1.9), a pre-release before its release. */
export function compareVersions(a: string, b: string): number {
  const [aCore = '', aPre] = split(a);
  const [bCore = '', bPre] = split(b);
  const byCore = numeric.compare(aCore, bCore);
  if (byCore !== 0) return byCore;
  if (aPre === undefined || bPre === undefined) return aPre === bPre ? 0 : aPre === undefined ? 1 : -1;
  return numeric.compare(aPre, bPre);
}

function split(version: string): [string, string | undefined] {
  const bare = version.replace(/^v(?=\d)/, '').replace(/\+.*$/, '');
  const dash = bare.indexOf('-');
  return dash < 0 ? [bare, undefined] : [bare.slice(0, dash), bare.slice(dash + 1)];
}

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
  const versions = [...new Set(nodes.map((n) => n.version))];
  if (versions.length < 2) return nodes;
  versions.sort((a, b) => compareVersions(b, a));
  let load = draining;
  let weight = 0;
  for (const node of nodes) {
    load += node.load;
    weight += node.weight;
  }
  for (const version of versions.slice(0, -1)) {
    const withRoom = nodes.filter(
      (n) =>
        n.version === version &&
        !n.isAiling &&
        n.load + 1 <= Math.ceil((bound * (load + 1) * n.weight) / weight),
    );
    if (withRoom.length > 0) return withRoom;
  }
  return nodes;
}
