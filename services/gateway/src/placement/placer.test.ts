import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burst, counted, maxOverMean, placer, seeded, stats } from '../../testing/placing.js';

/**
 * A cluster of edges that reports once a second while `total` clients arrive over `spreadMs`, each opening
 * its socket after some delay. Resolves with the connections of each node when all are in.
 */
function simulateArrivals(
  seed: number,
  options: {
    nodes: number;
    total: number;
    spreadMs: number;
    maxDelayMs: number;
    leavePerSecond: number;
    gateways?: number;
    /** Connections of the nodes before; none by default. */
    before?: readonly number[];
  },
): number[] {
  const random = seeded(seed);
  const gateways = Array.from({ length: options.gateways ?? 1 }, (_, i) => placer({ seed: seed + 1 + i }));
  const edges = Array.from({ length: options.nodes }, (_, i) => ({
    node: `e${i}`,
    connections: options.before?.[i] ?? 0,
    handshakes: 0,
    phaseMs: Math.floor(random() * 1_000),
    seq: 0,
  }));
  const opens: { atMs: number; node: string }[] = [];
  const arrivals = Array.from(
    { length: options.total },
    () => 2_000 + Math.floor(random() * options.spreadMs),
  );
  arrivals.sort((a, b) => a - b);
  let next = 0;
  const endMs = 2_000 + options.spreadMs + options.maxDelayMs + 3_000;
  for (let nowMs = 0; nowMs < endMs; nowMs += 10) {
    for (const edge of edges) {
      if (nowMs % 1_000 !== edge.phaseMs - (edge.phaseMs % 10)) continue;
      edge.seq += 1;
      const over = { seq: edge.seq, at: nowMs, connections: edge.connections };
      for (const p of gateways)
        p.observe(stats(edge.node, { ...over, handshakesPerSecond: edge.handshakes }), nowMs);
      edge.handshakes = 0;
    }
    for (; next < arrivals.length && (arrivals[next] ?? 0) <= nowMs; next++) {
      const p = gateways[Math.floor(random() * gateways.length)];
      const placed = p?.place({ uid: `u${next}`, sid: `s${next}` }, nowMs) ?? { kind: 'none' };
      if (placed.kind !== 'placed') throw new Error('not placed');
      opens.push({ atMs: nowMs + Math.floor(random() * options.maxDelayMs), node: placed.node });
    }
    for (let i = opens.length - 1; i >= 0; i--) {
      const open = opens[i];
      if (open === undefined || open.atMs > nowMs) continue;
      opens.splice(i, 1);
      const edge = edges.find((e) => e.node === open.node);
      if (edge === undefined) continue;
      edge.connections += 1;
      edge.handshakes += 1;
    }
    if (random() < options.leavePerSecond / 100) {
      const leaving = edges[Math.floor(random() * edges.length)];
      if (leaving !== undefined && leaving.connections > 0) leaving.connections -= 1;
    }
  }
  return edges.map((e) => e.connections);
}

describe('placement of a burst', () => {
  it('spreads clients that arrive between two statistics exactly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 16 }), fc.integer({ min: 0, max: 3_000 }), (nodes, clients) => {
        const p = placer();
        for (let i = 0; i < nodes; i++) p.observe(stats(`e${i}`), 0);
        const counts = counted(burst(p, clients, 10));
        const values = Array.from({ length: nodes }, (_, i) => counts.get(`e${i}`) ?? 0);
        expect(Math.max(...values) - Math.min(...values)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 30 },
    );
  });

  it('levels nodes that are unequally full', () => {
    const p = placer();
    p.observe(stats('a', { connections: 1_000 }), 0);
    p.observe(stats('b', { connections: 400 }), 0);
    p.observe(stats('c', { connections: 100 }), 0);
    const counts = counted(burst(p, 1_500, 10));
    expect([counts.get('a') ?? 0, counts.get('b'), counts.get('c')]).toEqual([0, 600, 900]);
  });

  it('ends within 5 % of even while statistics lag behind 3,000 arrivals', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 4_000 }),
        (seed, nodes, spreadMs, maxDelayMs) => {
          const shape = { nodes, total: 3_000, spreadMs, maxDelayMs, leavePerSecond: 0 };
          expect(maxOverMean(simulateArrivals(seed, shape))).toBeLessThanOrEqual(1.05);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([2, 4])('ends as even by %i gateways as by one', (gateways) => {
    const shape = { nodes: 3, total: 3_000, spreadMs: 8_000, maxDelayMs: 1_500, leavePerSecond: 0, gateways };
    for (const seed of [1, 2, 3, 4, 5])
      expect(maxOverMean(simulateArrivals(seed, shape))).toBeLessThanOrEqual(1.02);
    // One node has just come.
    const filling = { ...shape, before: [1_500, 1_500, 0], spreadMs: 10_000 };
    for (const seed of [1, 2, 3, 4, 5])
      expect(maxOverMean(simulateArrivals(seed, filling))).toBeLessThanOrEqual(1.02);
  });

  it('stays level while others leave', () => {
    const shape = { nodes: 3, total: 3_000, spreadMs: 8_000, maxDelayMs: 1_500, leavePerSecond: 80 };
    for (const seed of [1, 2, 3, 4]) {
      expect(maxOverMean(simulateArrivals(seed, shape))).toBeLessThanOrEqual(1.05);
    }
  });

  it('shares by weight', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 8 }), (weights) => {
        const p = placer();
        for (const [i, weight] of weights.entries()) p.observe(stats(`e${i}`, { weight }), 0);
        const total = weights.reduce((a, b) => a + b, 0) * 20;
        const counts = counted(burst(p, total, 10));
        for (const [i, weight] of weights.entries()) {
          expect(Math.abs((counts.get(`e${i}`) ?? 0) - weight * 20)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps a large cluster near even by two random choices', () => {
    const p = placer({ seed: 7 });
    for (let i = 0; i < 50; i++) p.observe(stats(`e${i}`), 0);
    const counts = counted(burst(p, 10_000, 10));
    expect(maxOverMean([...counts.values()])).toBeLessThan(1.05);
    expect(counts.size).toBe(50);
  });
});

describe('rolling deploys', () => {
  it('prefers the newest version up to its fair share, draining load counted', () => {
    const p = placer();
    p.observe(stats('old1', { connections: 900 }), 0);
    p.observe(stats('old2', { connections: 900 }), 0);
    p.observe(stats('leaving', { connections: 900, state: 'draining' }), 0);
    p.observe(stats('new', { version: '1.10.0' }), 0);
    const counts = counted(burst(p, 900, 10));
    expect(counts.get('new')).toBe(900);
  });

  it('uses the other nodes once the newest have their share', () => {
    const p = placer();
    p.observe(stats('old', { connections: 0, version: '1.9.0' }), 0);
    p.observe(stats('new', { connections: 0, version: '1.10.0' }), 0);
    const counts = counted(burst(p, 1_000, 10));
    expect(counts.get('new')).toBeLessThanOrEqual(530);
    expect(counts.get('old')).toBeGreaterThanOrEqual(470);
  });
});

describe('consistent hashing', () => {
  it('places a session where it was, and within the bound', () => {
    const rules = { strategy: 'consistent-hash' as const };
    const first = placer({ rules });
    const second = placer({ rules, seed: 99 });
    for (let i = 0; i < 5; i++) {
      first.observe(stats(`e${i}`), 0);
      second.observe(stats(`e${i}`), 0);
    }
    const nodes = burst(first, 2_000, 10);
    expect(burst(second, 2_000, 10)).toEqual(nodes);
    expect(maxOverMean([...counted(nodes).values()])).toBeLessThanOrEqual(1.11);
  });
});
