import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextCeiling } from './ceiling.js';

const rules = { base: 500, floor: 25, targetMs: 250 };

describe('nextCeiling', () => {
  it('falls fast while handshakes are slow and recovers when they are not', () => {
    let ceiling = 500;
    for (let i = 0; i < 5; i++) {
      ceiling = nextCeiling(ceiling, { handshakesPerSecond: 100, handshakeP99Ms: 400 }, rules);
    }
    expect(ceiling).toBeLessThan(100);
    for (let i = 0; i < 20; i++) {
      ceiling = nextCeiling(ceiling, { handshakesPerSecond: 100, handshakeP99Ms: 50 }, rules);
    }
    expect(ceiling).toBe(500);
  });

  it('rises on an idle edge whatever p99 it had last', () => {
    expect(nextCeiling(100, { handshakesPerSecond: 0, handshakeP99Ms: 900 }, rules)).toBe(125);
  });

  it('holds just under the target', () => {
    expect(nextCeiling(100, { handshakesPerSecond: 10, handshakeP99Ms: 230 }, rules)).toBe(100);
  });

  it('stays between floor and base', () => {
    const report = fc.record({
      handshakesPerSecond: fc.float({ min: 0, noNaN: true }),
      handshakeP99Ms: fc.float({ min: 0, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(report), (reports) => {
        let ceiling = rules.base;
        for (const r of reports) {
          ceiling = nextCeiling(ceiling, r, rules);
          expect(ceiling).toBeGreaterThanOrEqual(rules.floor);
          expect(ceiling).toBeLessThanOrEqual(rules.base);
        }
      }),
    );
  });
});
