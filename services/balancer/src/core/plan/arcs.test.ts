import { buildRing, ownerOf, type RingNode } from '@evenkeel/cluster';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arcMoves, arcShares } from './arcs.js';

const members = (names: string[]): RingNode[] => names.map((node) => ({ node, weight: 1 }));
const keys = Array.from({ length: 20_000 }, (_, i) => `user-${i}.s`);

describe('a plan by the ring', () => {
  it('has exactly the arcs of a node that joins change hands', () => {
    const moves = arcMoves(members(['a', 'b', 'c']), members(['a', 'b', 'c', 'd']));
    expect(new Set(moves.map((m) => m.to))).toEqual(new Set(['d']));
    expect(moves.map((m) => m.from).sort()).toEqual(['a', 'b', 'c']);
  });

  it('names exactly the pairs of nodes between which sessions move, and about how many', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, names, (before, after) => {
        const moves = new Map(
          arcMoves(members(before), members(after)).map((m) => [`${m.from} ${m.to}`, m.part]),
        );
        const old = buildRing(members(before));
        const next = buildRing(members(after));
        const counted = new Map<string, number>();
        for (const key of keys) {
          const pair = `${ownerOf(old, key)} ${ownerOf(next, key)}`;
          if (ownerOf(old, key) !== ownerOf(next, key)) counted.set(pair, (counted.get(pair) ?? 0) + 1);
        }
        for (const [pair, count] of counted) expect(moves.get(pair)).toBeCloseTo(count / keys.length, 1);
        for (const [pair, part] of moves) if (part > 0.001) expect(counted.has(pair)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('gives every node about its part of the ring, all of it together', () => {
    const shares = [...arcShares(members(['a', 'b', 'c', 'd'])).values()];
    expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    for (const share of shares) expect(Math.abs(share - 0.25)).toBeLessThan(0.06);
  });
});
