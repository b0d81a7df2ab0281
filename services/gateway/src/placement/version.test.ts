import { describe, expect, it } from 'vitest';
import { compareVersions } from './version.js';

describe('compareVersions', () => {
  it.each([
    ['1.9.0', '1.10.0'],
    ['1.0.0-rc.1', '1.0.0'],
    ['1.0.0-rc.2', '1.0.0-rc.10'],
    ['v1.2', 'v1.3'],
    ['2026-01-02', '2026-01-03'],
    ['1', '2'],
  ])('puts %s before %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0);
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  it('takes build metadata and a leading v as no difference', () => {
    expect(compareVersions('v1.2.0+a1', '1.2.0+b2')).toBe(0);
  });
});
