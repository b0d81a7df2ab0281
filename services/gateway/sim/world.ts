import { Cells } from '@evenkeel/pace';
import type { NodeStats } from '@evenkeel/protocol';
import { Admission } from '../src/admission/admission.js';
import { floorOf } from '../src/admission/ceiling.js';
import { ruleDefaults } from '../src/placement/choose.js';
import { Placer } from '../src/placement/placer.js';

/** What a gateway has by default. */
const defaults = { handshakesPerSecond: 500, newSessionsPerSecond: 400, targetMs: 250, ticketMs: 30_000 };

/** An edge as its statistics show it. */
interface SimEdge {
  readonly node: string;
  sessions: number;
  /** Since its last report. */
  arrived: number;
  seq: number;
}

/** One cell: the real placement of a gateway, and edges that report to it. */
export class SimCell {
  readonly placer: Placer;
  readonly edges: SimEdge[];
  readonly #byName: Map<string, SimEdge>;

  constructor(name: string, edges: number, random: () => number) {
    const { handshakesPerSecond: base, newSessionsPerSecond, targetMs, ticketMs } = defaults;
    const ceiling = { base, floor: floorOf(base), targetMs };
    this.placer = new Placer({
      rules: ruleDefaults,
      admission: new Admission({ ceiling, newSessionsPerSecond }, 0),
      reservationMs: ticketMs,
      reservationsPerUser: 8,
      random,
    });
    const named = (n: number) => ({ node: `${name}-${n}`, sessions: 0, arrived: 0, seq: 0 });
    this.edges = Array.from({ length: edges }, (_, n) => named(n));
    this.#byName = new Map(this.edges.map((edge) => [edge.node, edge]));
  }

  /** What every edge says each second. */
  report(nowMs: number): void {
    for (const edge of this.edges) {
      edge.seq += 1;
      this.placer.observe(statsOf(edge, nowMs), nowMs);
      edge.arrived = 0;
    }
  }

  /** A client has used its ticket. */
  arrive(node: string): void {
    const edge = this.#byName.get(node);
    if (edge === undefined) return;
    edge.sessions += 1;
    edge.arrived += 1;
  }
}

export const nameOf = (n: number): string => `cell-${n}`;

/** A map of so many cells, as a gateway reads it. */
const mapOf = (cells: number): string =>
  JSON.stringify({
    cells: Object.fromEntries(
      Array.from({ length: cells }, (_, n) => [nameOf(n), { amqpUrl: `amqp://gateway:secret@mq-${n}` }]),
    ),
  });

export const readMap = (cells: number): Cells => Cells.read(mapOf(cells));

/** A small generator with a seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function statsOf({ node, sessions, arrived, seq }: SimEdge, nowMs: number): NodeStats {
  return {
    v: 1,
    node,
    url: `ws://${node}`,
    boot: `${node}-boot`,
    seq,
    at: Math.round(nowMs),
    state: 'active',
    version: '1',
    weight: 1,
    capacity: 16_000,
    connections: sessions,
    sessions,
    detached: 0,
    unacked: 0,
    deliveredPerSecond: 0,
    receivedPerSecond: 0,
    bytesPerSecond: 0,
    handshakesPerSecond: arrived,
    handshakeP99Ms: 20,
    loopLagP99Ms: 2,
    loopUtilization: 0.1,
    cpu: 0.1,
    rssBytes: 1,
    moves: { pending: 0, done: 0, failed: 0 },
  };
}
