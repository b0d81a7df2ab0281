import { describe, expect, it } from 'vitest';
import { Counts, quantile, RecentQuantile, Tally } from './tally.js';

describe('Tally', () => {
  it('counts a value with the first bound that it does not exceed, and what exceeds all by itself', () => {
    const tally = new Tally([0.1, 1]);
    for (const value of [0, 0.1, 0.2, 1, 7]) tally.add(value);
    expect(tally.counts).toEqual([2, 2, 1]);
    expect(tally.sum).toBeCloseTo(8.3);
  });
});

describe('quantile', () => {
  it.each([
    ['lies between the bounds, by the part of those counted there', [0, 10, 0], 0.5, 0.55],
    ['is the last bound where values exceed all', [1, 0, 99], 0.99, 1],
    ['of one value is its bound', [1, 0, 0], 1, 0.1],
  ])('%s', (_, counts, q, expected) => {
    expect(quantile(q, { bounds: [0.1, 1], counts })).toBeCloseTo(expected);
  });

  it('is unknown when nothing was counted', () => {
    expect(quantile(0.99, { bounds: [1], counts: [0, 0] })).toBeUndefined();
  });
});

describe('RecentQuantile', () => {
  it('forgets what was counted before the samples that it goes by', () => {
    const tally = new Tally([1, 2]);
    const recent = new RecentQuantile(tally, 2);
    tally.add(2);
    expect(recent.sample(1)).toBe(2);
    tally.add(1);
    expect([recent.sample(1), recent.sample(1), recent.sample(1)]).toEqual([2, 1, undefined]);
  });
});

describe('Counts', () => {
  it('counts each kind, and all together', () => {
    const counts = new Counts();
    counts.add('full');
    counts.add('full', 2);
    counts.add('draining');
    expect([...counts]).toEqual([
      ['full', 3],
      ['draining', 1],
    ]);
    expect(counts.total).toBe(4);
  });
});
