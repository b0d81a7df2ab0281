import { describe, expect, it } from 'vitest';
import { estimateMs, progressBar, progressOf } from './progress.js';
import { duration, table } from './table.js';

describe('progressBar', () => {
  it('fits the width of the terminal and shows failures and the time to go', () => {
    const bar = progressBar({ done: 600, failed: 3, total: 1_000, etaMs: 8_000 }, 80);
    expect(bar).toContain('60 %  600 of 1,000  3 failed  8 s to go');
    expect(bar.length).toBeLessThanOrEqual(80);
  });

  it('is full when there is nothing to do', () => {
    expect(progressBar({ done: 0, failed: 0, total: 0, etaMs: undefined }, 80)).toMatch(/^\[#+\] 100 %/);
  });
});

describe('progressOf', () => {
  it('sums the moves where the plan has no sums of its own', () => {
    const moves = [
      { from: 'a', to: 'b', count: 5, done: 2, failed: 1 },
      { from: 'a', to: 'c', count: 5, done: 3, timedOut: 1 },
    ];
    expect(progressOf({ moves })).toEqual({ done: 5, failed: 2, total: 10, etaMs: undefined });
  });
});

describe('estimateMs', () => {
  it('goes by the pace since the first look', () => {
    expect(estimateMs({ done: 100, atMs: 0 }, { done: 300, total: 900, atMs: 2_000 })).toBe(6_000);
    expect(estimateMs({ done: 100, atMs: 0 }, { done: 100, total: 900, atMs: 2_000 })).toBeUndefined();
  });
});

describe('duration', () => {
  it.each([
    [400, '1 s'],
    [59_000, '59 s'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
  ])('says %d ms as %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});

describe('table', () => {
  it('does not count colours as width', () => {
    const text = table(
      [{ n: 'a', v: '1' }],
      [
        { title: 'NAME', of: (r) => r.n, paint: (t) => `\u001b[1m${t}\u001b[0m` },
        { title: 'VALUE', of: (r) => r.v, align: 'right' },
      ],
      (header) => header,
    );
    expect(text).toBe('NAME  VALUE\n\u001b[1ma   \u001b[0m      1');
  });
});
