import { nodeStates } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasAge, type NodeAge, nodeAgesMs, nodePhases, phaseOf } from './liveness.js';

const ages = Object.keys(nodeAgesMs) as NodeAge[];
const silence = fc.integer({ min: 0, max: 200_000 });

describe('the ages of a node', () => {
  it('follow one another, so that a node has every age before its last', () => {
    fc.assert(
      fc.property(silence, fc.nat(), (silentMs, seenAtMs) => {
        const reached = ages.map((age) => hasAge(age, seenAtMs, seenAtMs + silentMs));
        expect([...reached].sort((a, b) => Number(b) - Number(a))).toEqual(reached);
      }),
    );
  });

  it('leave time for two reports before anybody acts on the third', () => {
    expect(hasAge('stale', 0, 1_999)).toBe(false);
    expect(hasAge('suspect', 0, 2_999)).toBe(false);
    expect(hasAge('suspect', 0, 3_000)).toBe(true);
  });

  it('count a clock that stepped back as no silence', () => {
    for (const age of ages) expect(hasAge(age, 10_000, 5_000)).toBe(false);
  });
});

describe('phaseOf', () => {
  it('is joining at the first report, what the node says from the second, then suspect and gone', () => {
    expect(phaseOf('active', 1, 0, 0)).toBe('joining');
    expect(phaseOf('active', 2, 0, 2_999)).toBe('active');
    expect(phaseOf('cordoned', 1, 0, 0)).toBe('cordoned');
    expect(phaseOf('active', 9, 0, 3_000)).toBe('suspect');
    expect(phaseOf('active', 9, 0, 15_000)).toBe('gone');
  });

  it('takes a silent node that was draining for gone at once: it said that it would leave', () => {
    expect(phaseOf('draining', 9, 0, 2_999)).toBe('draining');
    expect(phaseOf('draining', 9, 0, 3_000)).toBe('gone');
  });

  it('only gets worse while nothing is heard', () => {
    const rank = (phase: string) => (phase === 'suspect' ? 1 : phase === 'gone' ? 2 : 0);
    fc.assert(
      fc.property(fc.constantFrom(...nodeStates), fc.nat(5), silence, silence, (state, reports, a, b) => {
        const [sooner, later] = [Math.min(a, b), Math.max(a, b)];
        const before = phaseOf(state, reports, 0, sooner);
        const after = phaseOf(state, reports, 0, later);
        expect(nodePhases).toContain(after);
        expect(rank(after)).toBeGreaterThanOrEqual(rank(before));
      }),
    );
  });
});
