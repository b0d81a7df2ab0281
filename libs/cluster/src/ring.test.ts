import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRing, maxMeanPoints, maxRingPoints, ownerBounded, ownerOf, ringKey } from './ring.js';

const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { minLength: 1, maxLength: 12 });
const keys = Array.from({ length: 2_000 }, (_, i) => ringKey(`user-${i}`, `s${i * 7}`));

describe('ring', () => {
  it('is the same whatever the order of the nodes', () => {
    fc.assert(
      fc.property(names, (nodes) => {
        const ring = buildRing(nodes.map((node) => ({ node, weight: 1 })));
        const turned = buildRing([...nodes].reverse().map((node) => ({ node, weight: 1 })));
        for (const key of keys.slice(0, 50)) expect(ownerOf(turned, key)).toBe(ownerOf(ring, key));
      }),
      { numRuns: 20 },
    );
  });

  it('changes hands only towards a node that joins', () => {
    fc.assert(
      fc.property(names, (nodes) => {
        const before = buildRing(nodes.map((node) => ({ node, weight: 1 })));
        const after = buildRing([...nodes, 'JOINED'].map((node) => ({ node, weight: 1 })));
        for (const key of keys.slice(0, 300)) {
          const owner = ownerOf(after, key);
          if (owner !== 'JOINED') expect(owner).toBe(ownerOf(before, key));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gives a node keys in proportion to its weight', () => {
    const ring = buildRing([
      { node: 'one', weight: 1 },
      { node: 'two', weight: 2 },
      { node: 'three', weight: 3 },
    ]);
    const counts = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      const owner = ownerOf(ring, `u${i}.s`) ?? '';
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    expect((counts.get('one') ?? 0) / 10_000).toBeCloseTo(1, 0);
    expect((counts.get('two') ?? 0) / 20_000).toBeCloseTo(1, 0);
    expect((counts.get('three') ?? 0) / 30_000).toBeCloseTo(1, 0);
  });

  it('keeps every node within the bound, however the keys fall', () => {
    const ring = buildRing(['a', 'b', 'c', 'd', 'e'].map((node) => ({ node, weight: 1 })));
    const loads = new Map<string, number>();
    for (const key of keys) {
      const owner = ownerBounded(ring, key, loads, 1.1) ?? '';
      loads.set(owner, (loads.get(owner) ?? 0) + 1);
    }
    expect(Math.max(...loads.values())).toBeLessThanOrEqual(Math.ceil((1.1 * keys.length) / 5));
  });

  it('has no owner when empty, and refuses what makes no ring', () => {
    expect(ownerOf(buildRing([]), 'k')).toBeUndefined();
    expect(ownerBounded(buildRing([]), 'k', new Map(), 1.1)).toBeUndefined();
    expect(() => buildRing([{ node: 'a', weight: 0 }])).toThrow(RangeError);
    expect(() => buildRing([{ node: 'a', weight: 1 }], 0)).toThrow(RangeError);
  });

  it('has a bounded number of points, whatever the weights, and keeps their proportion', () => {
    const heavy = [16_000, 8_000, 8_000].map((weight, i) => ({ node: `n${i}`, weight }));
    const ring = buildRing(heavy);
    expect(ring.points.length).toBeLessThanOrEqual(3 * maxMeanPoints);
    const owned = new Map<string, number>();
    for (const key of keys)
      owned.set(ownerOf(ring, key) ?? '', (owned.get(ownerOf(ring, key) ?? '') ?? 0) + 1);
    expect((owned.get('n0') ?? 0) / keys.length).toBeCloseTo(0.5, 1);
    const weight = fc.double({ min: 1e-9, max: 1e12, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(1, 160, 1e9),
        (weights, points) => {
          const nodes = weights.map((w, i) => ({ node: `n${i}`, weight: w }));
          const { length } = buildRing(nodes, points).points;
          expect(length).toBeGreaterThanOrEqual(nodes.length);
          expect(length).toBeLessThanOrEqual(
            Math.min(maxRingPoints, maxMeanPoints * nodes.length) + nodes.length,
          );
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is built for as many nodes as a balancer knows without halving a point', () => {
    const ring = buildRing(Array.from({ length: 5_000 }, (_, i) => ({ node: `edge-${i}`, weight: 1 })));
    expect(ring.points.length).toBe(5_000 * 160);
  });

  it('gives known owners, so that no version of it disagrees with another', () => {
    const ring = buildRing(
      ['edge-1', 'edge-2', 'edge-3'].map((node) => ({ node, weight: 1 })),
      100,
    );
    expect(
      ['alice.s1', 'bob.s2', 'carol.s3', '~w6k.s4'].map((key) => ownerOf(ring, key)),
    ).toMatchInlineSnapshot(`
      [
        "edge-2",
        "edge-2",
        "edge-2",
        "edge-2",
      ]
    `);
  });
});
