import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions } from './version.js';

describe('the order of versions', () => {
  it('takes runs of digits as numbers, and a pre-release as before its release', () => {
    const sorted = ['0.9.10', '1.0.0-rc1', '1.0.0-rc2', '1.0.0', '1.2', '1.10', '2024-05-01', '2024-11-01'];
    expect([...sorted].reverse().sort(compareVersions)).toEqual(sorted);
  });

  it('is a total order', () => {
    const version = fc.stringMatching(/^[0-9a-c.+-]{0,6}$/);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(compareVersions(a, a)).toBe(0);
        expect(compareVersions(a, b) + compareVersions(b, a)).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
