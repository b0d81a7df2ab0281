import { boundedShare, ownerBounded, type Ring, ringKey } from '@evenkeel/cluster';
import type { Candidate, Choice } from './candidate.js';
import { preferNewest, totalOf } from './newest.js';

/** The rules of placement. */
export interface Rules {
  strategy: 'least-loaded' | 'consistent-hash';
  /** Up to this many nodes the choice looks at all of them and is exact. Above, at two at random. */
  exactUpTo: number;
  /** How far over its fair share a node may go because a less loaded one has no slot, e.g. 1.02. */
  spillBound: number;
  /** Bound of `consistent-hash`, e.g. 1.1. */
  ringBound: number;
  /** Prefer the newest version while several are running. */
  prefersNewest: boolean;
  /** How far over its fair share a node of the newest version may go, e.g. 1.05. */
  versionBound: number;
}

export const ruleDefaults: Rules = {
  strategy: 'least-loaded',
  exactUpTo: 16,
  spillBound: 1.02,
  ringBound: 1.1,
  prefersNewest: true,
  versionBound: 1.05,
};

/** Who is to be placed, and on which ring where the strategy needs one. */
export interface Client {
  uid: string;
  sid: string;
  /** Nodes that have just failed for it: avoided while any other may take it. */
  tried: readonly string[];
}

/**
 * Places one client. Pure: candidates are the active nodes only, `draining` is the load on nodes that are
 * going away (it will have to fit on the candidates), `random` is uniform in [0, 1).
 */
export function choose(
  candidates: readonly Candidate[],
  draining: number,
  client: Client,
  rules: Rules,
  ring: (nodes: readonly Candidate[]) => Ring,
  random: () => number,
): Choice {
  const among = (nodes: readonly Candidate[], strategy: Rules['strategy']): Choice => {
    if (nodes.length === 0) return { kind: 'none' };
    const withRoom = nodes.filter((c) => c.used < c.capacity);
    if (withRoom.length === 0) return { kind: 'full' };
    const preferred = rules.prefersNewest ? preferNewest(withRoom, draining, rules.versionBound) : withRoom;
    return strategy === 'consistent-hash'
      ? byRing(preferred, client, rules, ring)
      : leastLoaded(preferred, rules, random);
  };
  const untried = candidates.filter((c) => !client.tried.includes(c.node));
  if (untried.length < candidates.length) {
    // Without a ring: its place there has failed it, and a ring for each client's choice of nodes would be dear.
    const choice = among(sureOf(untried), 'least-loaded');
    if (choice.kind === 'node' || choice.kind === 'wait') return choice;
  }
  return among(sureOf(candidates), rules.strategy);
}

/** The nodes that are not in doubt, or all if there are none. */
export function sureOf<Node extends { readonly isDoubtful: boolean }>(
  nodes: readonly Node[],
): readonly Node[] {
  const sure = nodes.filter((n) => !n.isDoubtful);
  return sure.length > 0 ? sure : nodes;
}

function leastLoaded(nodes: readonly Candidate[], rules: Rules, random: () => number): Choice {
  const open = nodes.filter((n) => n.hasSlot);
  if (open.length === 0) return { kind: 'wait' };
  // Two random choices are for many nodes and many gateways, which would otherwise all pick the same node
  // between two statistics. Among few nodes they are not exact enough.
  if (nodes.length > rules.exactUpTo) return chosen(minimum(twoOf(open, random), random));
  const best = minimum(nodes, random);
  if (best?.hasSlot) return chosen(best);
  return chosen(
    minimum(
      open.filter((n) => mayTakeOneMore(n, nodes, rules.spillBound)),
      random,
    ),
  );
}

const chosen = (node: Candidate | undefined): Choice =>
  node === undefined ? { kind: 'wait' } : { kind: 'node', node };

/**
 * Whether one more keeps the node within `bound` × its fair share. Without this a node that has slots left
 * would take what waits for a less loaded one, and a rebalance would have to undo it. An ailing node does
 * not count: nobody waits for it.
 */
function mayTakeOneMore(node: Candidate, all: readonly Candidate[], bound: number): boolean {
  const total = totalOf(all.filter((other) => !other.isAiling || other.node === node.node));
  return node.load + 1 <= boundedShare(node.weight, total, bound);
}

function minimum(nodes: readonly Candidate[], random: () => number): Candidate | undefined {
  let best: Candidate | undefined;
  let bestLoad = Number.POSITIVE_INFINITY;
  let ties = 0;
  for (const node of nodes) {
    // With the client counted: an empty light node must not go before an empty heavy one.
    const load = (node.load + 1) / node.weight;
    if (load > bestLoad) continue;
    ties = load < bestLoad ? 1 : ties + 1;
    if (ties === 1 || random() * ties < 1) best = node;
    bestLoad = load;
  }
  return best;
}

function twoOf(nodes: readonly Candidate[], random: () => number): readonly Candidate[] {
  if (nodes.length <= 2) return nodes;
  const first = Math.floor(random() * nodes.length);
  const step = 1 + Math.floor(random() * (nodes.length - 1));
  const pair = [nodes[first], nodes[(first + step) % nodes.length]];
  return pair.filter((node) => node !== undefined);
}

function byRing(
  nodes: readonly Candidate[],
  client: Client,
  rules: Rules,
  ring: (nodes: readonly Candidate[]) => Ring,
): Choice {
  const loads = new Map(nodes.map((n) => [n.node, n.load]));
  const owner = ownerBounded(ring(nodes), ringKey(client.uid, client.sid), loads, rules.ringBound);
  const node = nodes.find((n) => n.node === owner);
  if (node === undefined) return { kind: 'none' };
  // Its place is there and nowhere else; it waits for a slot.
  return node.hasSlot ? { kind: 'node', node } : { kind: 'wait' };
}
