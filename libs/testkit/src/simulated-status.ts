/** A mesh of many nodes as `status` answers it, a second at a time: for pages that shall be readable with a thousand of them. */

interface SimulatedNode {
  readonly node: string;
  readonly url: string;
  readonly state: string;
  readonly version: string;
  readonly connections: number;
  readonly sessions: number;
  readonly capacity: number;
  readonly weight: number;
  readonly deliveredPerSecond: number;
  readonly publishToSocketP99Ms: number;
  readonly loopLagP99Ms: number;
  readonly cpu: number;
  readonly gaps: number;
}

export interface SimulatedStatus {
  readonly ok: true;
  readonly leader: string;
  readonly mode: string;
  readonly isPaused: boolean;
  readonly isComplete: boolean;
  readonly sentence: string;
  readonly level: { readonly maxOverMean: number };
  readonly totals: Readonly<Record<string, number>>;
  readonly nodes: readonly SimulatedNode[];
  readonly plan: object;
  readonly history: readonly object[];
}

const count = (n: number): string => n.toLocaleString('en');
const perNode = 8_000;
const capacity = 12_000;
/** Half of the way to level in so many seconds. */
const halfLifeS = 6;

/** From `second` 0, very uneven, towards level; a few nodes are cordoned, silent or drained. The same arguments, the same mesh. */
export function simulatedStatus(nodeCount: number, second: number): SimulatedStatus {
  const left = 0.5 ** (second / halfLifeS);
  const nodes = Array.from({ length: nodeCount }, (_, i) => simulatedNode(i, left, second));
  const counts = nodes.filter(({ state }) => state === 'active').map(({ sessions }) => sessions);
  const sessions = nodes.reduce((sum, node) => sum + node.sessions, 0);
  const mean = counts.reduce((sum, n) => sum + n, 0) / Math.max(1, counts.length);
  const silent = nodes.filter(({ state }) => state === 'suspect').length;
  const total = Math.round(nodeCount * perNode * 0.2);
  const done = Math.round(total * (1 - left));
  return {
    ok: true,
    leader: 'balancer-1',
    mode: 'auto',
    isPaused: false,
    isComplete: true,
    sentence: `Rebalancing ${count(nodeCount)} nodes: ${count(done)} of ${count(total)} sessions moved; ${count(silent)} do not answer.`,
    level: { maxOverMean: mean === 0 ? 1 : Math.max(...counts) / mean },
    totals: {
      sessions,
      eventsPerSecond: nodes.reduce((sum, node) => sum + node.deliveredPerSecond, 0),
      publishToSocketP99Ms: Math.max(...nodes.map((node) => node.publishToSocketP99Ms)),
      gapsLastHour: silent,
    },
    nodes,
    plan: {
      id: 'plan-1',
      kind: 'rebalance',
      state: 'running',
      by: 'auto',
      total,
      done,
      ratePerSecond: 5_000,
      etaMs: 1_000 * Math.ceil((total - done) / 5_000),
      startedAt: 1_700_000_000_000,
      moves: nodes.slice(0, 200).map(({ node }, i) => ({
        from: node,
        to: `edge-${nodeCount - i}`,
        count: noise(i) % 3_000,
        done: Math.round((noise(i) % 3_000) * (1 - left)),
      })),
    },
    history: [],
  };
}

function simulatedNode(i: number, left: number, second: number): SimulatedNode {
  const shift = ((noise(i) % 1_000) / 1_000 - 0.5) * perNode * left;
  const state =
    i % 97 === 13 ? 'cordoned' : i % 331 === 7 ? 'suspect' : i % 251 === 101 ? 'draining' : 'active';
  const sessions = state === 'cordoned' ? Math.round(perNode * left) : Math.round(perNode + shift);
  const flicker = noise(i * 7_919 + second) % 100;
  return {
    node: `edge-${i + 1}`,
    url: `wss://edge-${i + 1}.example/ws`,
    state,
    version: i % 40 === 0 ? '1.4.1' : '1.4.2',
    connections: sessions,
    sessions,
    capacity,
    weight: 1,
    deliveredPerSecond: Math.round(sessions / 4) + flicker,
    publishToSocketP99Ms: 4 + flicker / 10,
    loopLagP99Ms: flicker / 20,
    cpu: 0.3 + flicker / 400,
    gaps: 0,
  };
}

/** A number that looks like chance and is none. */
function noise(n: number): number {
  const mixed = Math.imul(n ^ 0x9e37_79b9, 0x85eb_ca6b);
  return (Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35) ^ (mixed >>> 16)) >>> 0;
}
