import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byVersion, compareVersions } from './version.js';

const version = fc.oneof(
  fc.stringMatching(/^[v=]?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-[0-9a-z.]{1,5})?(\+[0-9a-z]{1,3})?$/),
  fc.stringMatching(/^[0-9a-c.+-]{0,6}$/),
  fc.constantFrom('1.9', 'v1.9', '1.9.0', '1.10', '2026-01-02', 'nightly', '', '1.2.0+5', '1.2.0+6', '01.2'),
  fc.string({ maxLength: 6 }),
);

describe('compareVersions', () => {
  it('orders as semantic versions do, and names after them', () => {
    const sorted = [
      ...[
        '0.9.10',
        '1.0.0-rc.1',
        '1.0.0-rc.2',
        '1.0.0-rc.10',
        '1.0.0',
        '1.2',
        '1.10',
        '2',
        'v3.0.1',
        '2026.01.02',
      ],
      ...['2024-05-01', '2024-11-01', '2026-1-2', '2026-01-10', 'a1b2', 'a10b2', 'nightly'],
    ];
    expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
  });

  it('is a total order, whatever the text', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
          // Equal precedence is an equivalence: what is equal to both ends is equal in between.
          if (compareVersions(a, c) === 0) expect(compareVersions(a, b)).toBe(0);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['v1.9', '1.9.0'],
    ['1.2.0+5', '1.2.0+6'],
    ['v1.2.0+a1', '1.2.0+b2'],
    ['2026.1.2', '2026.01.02'],
  ])('takes %s and %s for the same', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
  });

  it.each([
    ['v1.9', '1.10'],
    ['1.2.0-rc.1+9', '1.2.0+1'],
    ['99999999999999999998', '99999999999999999999'],
    [`1.0.${'9'.repeat(300)}`, `2.0.${'9'.repeat(300)}`],
  ])('puts %s before %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });
});

describe('byVersion', () => {
  it('gives one group for each precedence, newest first, and loses nobody', () => {
    fc.assert(
      fc.property(fc.array(version, { maxLength: 8 }), (versions) => {
        const groups = byVersion([...versions.entries()], ([, v]) => v);
        expect(groups.flat().sort(([i], [j]) => i - j)).toEqual([...versions.entries()]);
        const heads = groups.map((group) => group[0]?.[1] ?? '');
        for (const [i, group] of groups.entries()) {
          for (const [, v] of group) expect(compareVersions(heads[i] ?? '', v)).toBe(0);
          if (i > 0) expect(compareVersions(heads[i - 1] ?? '', heads[i] ?? '')).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('takes nodes that differ in build metadata for one version', () => {
    expect(byVersion(['1.2.0+5', '1.1.0', '1.2.0+6'], (v) => v)).toEqual([['1.2.0+5', '1.2.0+6'], ['1.1.0']]);
  });
});
