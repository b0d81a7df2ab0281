import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Holder, shares } from './share.js';

const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);

const holders = (weight: fc.Arbitrary<number>) =>
  fc
    .array(
      fc.record({
        weight,
        capacity: fc.constantFrom(5, 40, 1_000_000),
        sessions: fc.nat(60),
        pinnedPart: fc.constantFrom(0, 0, 0.3, 1),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((list) =>
      list.map(
        ({ pinnedPart, ...holder }, i): Holder => ({
          node: `n${i}`,
          pinned: Math.floor(holder.sessions * pinnedPart),
          ...holder,
        }),
      ),
    );

const most = ({ capacity, pinned }: Holder) => Math.max(capacity, pinned);

/** One session after the other to whoever has the fewest and room for it, beginning with those that stay in any case. */
function oneByOne(list: readonly Holder[], total: number): number[] {
  const held = list.map((holder) => holder.pinned);
  for (let left = total - sum(held); left > 0; left--) {
    const open = list.flatMap((holder, i) => ((held[i] ?? 0) < most(holder) ? [i] : []));
    const [least] = open.sort((a, b) => (held[a] ?? 0) - (held[b] ?? 0));
    if (least === undefined) break;
    held[least] = (held[least] ?? 0) + 1;
  }
  return held;
}

/** The level by bisection at which all hold `total` together. */
function levelOf(list: readonly Holder[], total: number): number {
  let [low, high] = [0, 1e9];
  for (let i = 0; i < 200; i++) {
    const level = (low + high) / 2;
    const held = sum(list.map((h) => Math.max(h.pinned, Math.min(most(h), level * h.weight))));
    if (held < total) low = level;
    else high = level;
  }
  return high;
}

const bySize = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b);

describe('shares', () => {
  it('are those of handing out one after the other, whatever is pinned and however little fits', () => {
    fc.assert(
      fc.property(holders(fc.constant(1)), (list) => {
        const total = sum(list.map((h) => h.sessions));
        expect(bySize(shares(list, total).values())).toEqual(bySize(oneByOne(list, total)));
      }),
    );
  });

  it('make the fewest move: those that are rounded up are ones that have more', () => {
    fc.assert(
      fc.property(holders(fc.constant(1)), (list) => {
        const total = sum(list.map((h) => h.sessions));
        const given = shares(list, total);
        const lower = Math.min(
          ...[...given].filter(([h, n]) => n > h.pinned && n < most(h)).map(([, n]) => n),
        );
        // Whoever gives one away and could have kept it does so only if nobody was rounded up who needs it not.
        const isGiver = ([h, n]: [Holder, number]) => n === lower && h.sessions > n && n < most(h);
        const isNeedless = ([h, n]: [Holder, number]) => n === lower + 1 && n > h.pinned && h.sessions < n;
        expect([...given].some(isGiver) && [...given].some(isNeedless)).toBe(false);
      }),
    );
  });

  it('go by weight to within one, nobody over capacity nor below what is pinned', () => {
    fc.assert(
      fc.property(holders(fc.constantFrom(1, 2, 0.5, 0.3, 7)), (list) => {
        const total = sum(list.map((h) => h.sessions));
        const given = shares(list, total);
        expect(sum(given.values())).toBe(Math.min(total, sum(list.map(most))));
        const level = levelOf(list, total);
        for (const [h, n] of given) {
          expect(Number.isInteger(n)).toBe(true);
          expect(n).toBeGreaterThanOrEqual(h.pinned);
          expect(n).toBeLessThanOrEqual(most(h));
          expect(Math.abs(n - Math.max(h.pinned, Math.min(most(h), level * h.weight)))).toBeLessThan(1.001);
        }
      }),
    );
  });
});
