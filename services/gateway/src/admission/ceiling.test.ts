import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ceiling, fullCeiling, nextCeiling } from './ceiling.js';

const rules = { base: 500, floor: 25, targetMs: 250 };

/** A report a second, all alike. */
function after(seconds: number, from: Ceiling, p99Ms: number, atMs = 0, handshakesPerSecond = 40): Ceiling {
  let ceiling = from;
  for (let i = 1; i <= seconds; i++) {
    const report = { handshakesPerSecond, handshakeP99Ms: p99Ms };
    ceiling = nextCeiling(ceiling, report, rules, atMs + i * 1_000);
  }
  return ceiling;
}

describe('nextCeiling', () => {
  it('falls while handshakes are slow and recovers when they are not', () => {
    const fallen = after(10, fullCeiling(rules), 400);
    expect(fallen.perSecond).toBeLessThan(100);
    expect(after(20, fallen, 50, 10_000).perSecond).toBe(500);
  });

  it('falls once for what was slow before it fell', () => {
    const once = after(1, fullCeiling(rules), 400);
    expect(once.perSecond).toBeCloseTo(350);
    expect(after(1, once, 400, 1_000)).toEqual(once);
    expect(after(2, once, 400, 1_000).perSecond).toBeCloseTo(245);
  });

  it('rises on an idle edge', () => {
    const idle = { handshakesPerSecond: 0, handshakeP99Ms: 0 };
    expect(nextCeiling({ perSecond: 100, fellAtMs: 0 }, idle, rules, 100).perSecond).toBe(125);
  });

  it('holds just under the target', () => {
    expect(after(3, { perSecond: 100, fellAtMs: 0 }, 230).perSecond).toBe(100);
  });

  it('falls on an edge where nobody gets in, who are waited for', () => {
    const stuck = { handshakesPerSecond: 0, handshakeP99Ms: 900 };
    expect(nextCeiling({ perSecond: 100, fellAtMs: 0 }, stuck, rules, 2_000).perSecond).toBeCloseTo(70);
  });

  it('falls slowly below four fifths of what the edge gets done, and never rises by it', () => {
    const slow = { handshakesPerSecond: 100, handshakeP99Ms: 900 };
    const next = (perSecond: number) => nextCeiling({ perSecond, fellAtMs: 0 }, slow, rules, 2_000).perSecond;
    expect(next(110)).toBeCloseTo(80);
    expect(next(80)).toBeCloseTo(72);
    expect(next(40)).toBeCloseTo(36);
    expect(next(26)).toBe(25);
  });

  it.each([1, 2, 3])('lets a backlog go that gateways send to an edge: %i of them', (gateways) => {
    const doneAtMost = 100;
    /** Those that wait, by the second of their coming. */
    const waiting: { atMs: number; count: number }[] = [];
    let ceiling = fullCeiling(rules);
    let longestMs = 0;
    for (let atMs = 0; atMs < 300_000; atMs += 1_000) {
      waiting.push({ atMs, count: ceiling.perSecond * gateways });
      // Nobody waits longer.
      while (waiting[0] && waiting[0].atMs < atMs - 30_000) waiting.shift();
      let left = doneAtMost;
      while (left > 0 && waiting[0]) {
        const done = Math.min(left, waiting[0].count);
        left -= done;
        waiting[0].count -= done;
        if (waiting[0].count === 0) waiting.shift();
      }
      const waitedMs = waiting[0] ? atMs - waiting[0].atMs : 0;
      if (atMs > 120_000) longestMs = Math.max(longestMs, waitedMs);
      const report = { handshakesPerSecond: doneAtMost - left, handshakeP99Ms: waitedMs };
      ceiling = nextCeiling(ceiling, report, rules, atMs);
    }
    expect(longestMs).toBeLessThan(10_000);
  });

  it('stays between floor and base', () => {
    const report = fc.record({
      handshakesPerSecond: fc.float({ min: 0, noNaN: true }),
      handshakeP99Ms: fc.float({ min: 0, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(report), (reports) => {
        let ceiling = fullCeiling(rules);
        for (const [i, r] of reports.entries()) {
          ceiling = nextCeiling(ceiling, r, rules, i * 1_000);
          expect(ceiling.perSecond).toBeGreaterThanOrEqual(rules.floor);
          expect(ceiling.perSecond).toBeLessThanOrEqual(rules.base);
        }
      }),
    );
  });
});
