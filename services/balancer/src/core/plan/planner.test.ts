import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Outcome, type PlanNode, planDrain, planLevel } from './planner.js';

const node = (name: string, sessions: number, more: Partial<PlanNode> = {}): PlanNode => ({
  node: name,
  role: 'level',
  sessions,
  pinned: 0,
  weight: 1,
  capacity: 1_000_000,
  version: '1',
  ...more,
});

const cluster = fc
  .array(
    fc.record({
      sessions: fc.nat(5000),
      weight: fc.constantFrom(1, 1, 2, 0.5),
      capacity: fc.constantFrom(100, 3000, 1_000_000),
      role: fc.constantFrom('level', 'level', 'level', 'drain', 'still'),
      version: fc.constantFrom('1', '2'),
      // Often none, sometimes all.
      pinnedPart: fc.constantFrom(0, 0, 0, 0.1, 0.5, 1),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) =>
    list.map(({ pinnedPart, ...n }, i): PlanNode => {
      const pinned = Math.floor(n.sessions * pinnedPart);
      return { node: `n${i}`, ...n, pinned, role: n.role as PlanNode['role'] };
    }),
  );

const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);

function expectSound(nodes: readonly PlanNode[], outcome: Outcome): void {
  const roles = new Map(nodes.map((n) => [n.node, n.role]));
  const givers = new Set(outcome.moves.map((m) => m.from));
  for (const move of outcome.moves) {
    expect(move.count).toBeGreaterThan(0);
    expect(Number.isInteger(move.count)).toBe(true);
    expect(roles.get(move.to)).toBe('level');
    expect(roles.get(move.from)).not.toBe('still');
    expect(givers.has(move.to)).toBe(false);
  }
  expect(sum(outcome.after.values())).toBe(sum(nodes.map((n) => n.sessions)));
  for (const n of nodes) {
    const after = outcome.after.get(n.node) ?? 0;
    expect(after).toBeGreaterThanOrEqual(n.pinned);
    if (n.role === 'still') expect(after).toBe(n.sessions);
    if (after > n.sessions) expect(after).toBeLessThanOrEqual(n.capacity);
  }
  expect(sum(outcome.moves.map((m) => m.count))).toBe(outcome.total);
}

describe('levelling', () => {
  it('gives a node that joins exactly its share, from the others alike', () => {
    const outcome = planLevel([node('a', 1500), node('b', 1500), node('c', 0)]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 1000, b: 1000, c: 1000 });
    expect(outcome.total).toBe(1000);
  });

  it('goes by weight, and no further than capacity', () => {
    const outcome = planLevel([node('a', 900), node('b', 0, { weight: 2 }), node('c', 0, { capacity: 60 })]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 280, b: 560, c: 60 });
  });

  it('moves nobody when every share is right up to rounding', () => {
    expect(planLevel([node('a', 4), node('b', 3), node('c', 3)]).total).toBe(0);
    expect(planLevel([node('a', 3), node('b', 3), node('c', 4)]).total).toBe(0);
  });

  it('empties draining nodes in the same plan', () => {
    const outcome = planLevel([node('a', 10), node('b', 10), node('c', 10, { role: 'drain' })]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 15, b: 15, c: 0 });
  });

  it('leaves where it is what nobody has room for, and says how much', () => {
    const outcome = planLevel([node('a', 5, { capacity: 10 }), node('b', 20, { role: 'drain' })]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 10, b: 15 });
    expect(outcome.unplaced).toBe(15);
    expect([...outcome.unplacedByNode.values()].reduce((all, n) => all + n)).toBe(15);
  });

  it('is sound and has nothing left to do after itself, whatever the cluster', () => {
    fc.assert(
      fc.property(cluster, (nodes) => {
        const outcome = planLevel(nodes);
        expectSound(nodes, outcome);
        const again = planLevel(nodes.map((n) => ({ ...n, sessions: outcome.after.get(n.node) ?? 0 })));
        expect(again.total).toBe(0);
      }),
    );
  });

  it('ends exactly level with the fewest moves, all weights being equal', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }), (loads) => {
        const outcome = planLevel(loads.map((load, i) => node(`n${i}`, load)));
        const after = [...outcome.after.values()];
        expect(Math.max(...after) - Math.min(...after)).toBeLessThanOrEqual(1);
        const base = Math.floor(sum(loads) / loads.length);
        const over = loads.filter((load) => load > base);
        const fewest =
          sum(over.map((load) => load - base)) - Math.min(over.length, sum(loads) - base * loads.length);
        expect(outcome.total).toBe(fewest);
      }),
    );
  });

  it('leaves a node what is pinned to it, and the others end level among themselves', () => {
    const outcome = planLevel([node('a', 24, { pinned: 24 }), node('b', 16, { pinned: 3 }), node('c', 6)]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 24, b: 11, c: 11 });
    expect(planLevel([node('a', 30, { pinned: 9 }), node('b', 0)]).total).toBe(15);
  });

  it('needs fewer pairs than there are nodes', () => {
    fc.assert(
      fc.property(cluster, (nodes) => {
        expect(planLevel(nodes).moves.length).toBeLessThan(nodes.length);
      }),
    );
  });

  it('levels a thousand nodes with ten million sessions to the last one', () => {
    const nodes = Array.from({ length: 1000 }, (_, i) => node(`n${i}`, (i * 7919) % 20_001));
    const outcome = planLevel(nodes);
    const after = [...outcome.after.values()];
    expect(Math.max(...after) - Math.min(...after)).toBeLessThanOrEqual(1);
    expect(outcome.moves.length).toBeLessThan(1000);
  });
});

describe('draining', () => {
  it('moves only those of the draining nodes, and fills the emptiest first', () => {
    const outcome = planDrain([node('a', 10), node('b', 30), node('c', 40, { role: 'drain' })]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 40, b: 40, c: 0 });
  });

  it('leaves what is pinned where it is', () => {
    const outcome = planDrain([node('a', 10), node('b', 0), node('c', 16, { role: 'drain', pinned: 6 })]);
    expect(Object.fromEntries(outcome.after)).toEqual({ a: 10, b: 10, c: 6 });
    expect(outcome.unplaced).toBe(0);
  });

  it('gives nobody to another node that is draining', () => {
    const outcome = planDrain([
      node('a', 6),
      node('b', 6, { role: 'drain' }),
      node('c', 6, { role: 'drain' }),
    ]);
    expect(outcome.moves.every((m) => m.to === 'a')).toBe(true);
    expect(outcome.after.get('a')).toBe(18);
  });

  it('prefers the newest version up to its share, then the others', () => {
    const outcome = planDrain([
      node('new', 0, { version: '2' }),
      node('old1', 1000),
      node('old2', 1000),
      node('gone', 1500, { role: 'drain' }),
    ]);
    expect(outcome.after.get('new')).toBeGreaterThanOrEqual(1166);
    expect(outcome.after.get('new')).toBeLessThanOrEqual(1166 * 1.02);
    expect((outcome.after.get('old1') ?? 0) - (outcome.after.get('old2') ?? 0)).toBeLessThanOrEqual(1);
  });

  it('is sound, and leaves behind only what nobody has room for, whatever the cluster', () => {
    fc.assert(
      fc.property(cluster, (nodes) => {
        const outcome = planDrain(nodes);
        expectSound(nodes, outcome);
        const drained = nodes.filter((n) => n.role === 'drain');
        expect(sum(drained.map((n) => (outcome.after.get(n.node) ?? 0) - n.pinned))).toBe(outcome.unplaced);
        if (outcome.unplaced === 0) return;
        for (const n of nodes.filter((n) => n.role === 'level')) {
          expect(outcome.after.get(n.node) ?? 0).toBeGreaterThanOrEqual(n.capacity);
        }
      }),
    );
  });
});
