import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adjust, NodePace, type PaceSample, type PaceState, paceDefaults } from './pacing.js';

const good: PaceSample = { handshakeP99Ms: 20, loopLagP99Ms: 5, unackedPerSession: 0, failedRatio: 0 };
const start: PaceState = { perSecond: 200, isSearching: true };

describe('pacing', () => {
  it('finds the greatest rate within six good reports', () => {
    let state = start;
    for (let i = 0; i < 6; i++) state = adjust(state, good, true, paceDefaults);
    expect(state.perSecond).toBe(2000);
  });

  it.each([
    ['handshakes take too long', { handshakeP99Ms: 500 }],
    ['the event loop lags', { loopLagP99Ms: 100 }],
    ['clients do not acknowledge', { unackedPerSession: 20 }],
    ['moves fail', { failedRatio: 0.1 }],
  ])('halves when %s, and climbs by steps from then on', (_, bad) => {
    const slowed = adjust(start, { ...good, ...bad }, true, paceDefaults);
    expect(slowed).toEqual({ perSecond: 100, isSearching: false });
    expect(adjust(slowed, good, true, paceDefaults).perSecond).toBe(200);
  });

  it('falls to a quarter when a limit is passed twice over', () => {
    expect(adjust(start, { ...good, handshakeP99Ms: 900 }, true, paceDefaults).perSecond).toBe(50);
  });

  it('does not rise when the rate was not used, nor near a limit', () => {
    expect(adjust(start, good, false, paceDefaults)).toEqual(start);
    expect(adjust(start, { ...good, handshakeP99Ms: 350 }, true, paceDefaults)).toEqual(start);
  });

  it('stays within its bounds whatever is reported', () => {
    const sample = fc.record({
      handshakeP99Ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
      loopLagP99Ms: fc.double({ min: 0, max: 1000, noNaN: true }),
      unackedPerSession: fc.double({ min: 0, max: 100, noNaN: true }),
      failedRatio: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, fc.boolean())), (reports) => {
        let state = start;
        for (const [report, wasUsed] of reports) state = adjust(state, report, wasUsed, paceDefaults);
        expect(state.perSecond).toBeGreaterThanOrEqual(paceDefaults.minPerSecond);
        expect(state.perSecond).toBeLessThanOrEqual(paceDefaults.maxPerSecond);
      }),
    );
  });

  it('holds the handshake limit against a node whose handshakes slow down with the rate', () => {
    // p99 rises above 400 ms at 700 moves a second.
    const p99 = (perSecond: number) => 40 + Math.max(0, perSecond - 500) * 1.8;
    let state = start;
    let above = 0;
    let sum = 0;
    for (let second = 0; second < 60; second++) {
      const sample = { ...good, handshakeP99Ms: p99(state.perSecond) };
      if (sample.handshakeP99Ms > paceDefaults.handshakeP99Ms) above += 1;
      sum += state.perSecond;
      state = adjust(state, sample, true, paceDefaults);
    }
    expect(above).toBeLessThan(12);
    expect(sum / 60).toBeGreaterThan(400);
  });

  it('never allows more at once than a quarter of a second of its rate', () => {
    const pace = new NodePace(paceDefaults, 0);
    expect(pace.available(60_000)).toBe(50);
    pace.take(50);
    expect(pace.available(60_000)).toBe(0);
    expect(pace.available(60_100)).toBe(20);
  });
});
