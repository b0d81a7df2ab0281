import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../sim/random.js';
import { playQueueing } from '../../../testing/queueing-edge.js';
import {
  type FlowSample,
  NodeRate,
  type PaceSample,
  type PaceState,
  paceDefaults,
  queueLimitMs,
  slow,
  steer,
} from './node-rate.js';

const good: PaceSample = { handshakeP99Ms: 20, loopLagP99Ms: 5, unackedPerSession: 0, failedRatio: 0 };
const start: PaceState = { perSecond: 200, limitPerSecond: Number.POSITIVE_INFINITY, baseMs: 20 };
const flowing: FlowSample = { delayMs: 20, isMeasured: true, settledPerSecond: 200 };
const limitMs = queueLimitMs(paceDefaults);

describe('what a report of a node does', () => {
  it('nothing while all is below the limits', () => {
    expect(slow(start, { ...good, handshakeP99Ms: 400 }, paceDefaults)).toEqual(start);
  });

  it.each([
    ['handshakes take too long', { handshakeP99Ms: 500 }],
    ['the event loop lags', { loopLagP99Ms: 100 }],
    ['clients do not acknowledge', { unackedPerSession: 20 }],
    ['moves fail', { failedRatio: 0.1 }],
  ])('halves the rate when %s', (_, bad) => {
    const slowed = slow(start, { ...good, ...bad }, paceDefaults);
    expect(slowed).toEqual({ ...start, perSecond: 100, limitPerSecond: 200 });
  });

  it('falls to a quarter when a limit is passed twice over', () => {
    expect(slow(start, { ...good, handshakeP99Ms: 900 }, paceDefaults).perSecond).toBe(50);
  });
});

describe('what a report on moves does', () => {
  it('finds the greatest rate within a second of good reports', () => {
    let state = start;
    for (let i = 0; i < 10; i++) {
      state = steer(state, { ...flowing, settledPerSecond: state.perSecond }, true, paceDefaults);
    }
    expect(state.perSecond).toBe(2000);
  });

  it('goes below what gets through when moves queue, and climbs slowly from then on', () => {
    const state = { ...start, perSecond: 800 };
    const queueing = { ...flowing, delayMs: 20 + limitMs + 20, settledPerSecond: 500 };
    const slowed = steer(state, queueing, true, paceDefaults);
    expect(slowed).toMatchObject({ perSecond: 425, limitPerSecond: 500 });
    const next = steer(slowed, { ...flowing, settledPerSecond: 425 }, true, paceDefaults);
    expect(next.perSecond).toBeGreaterThan(425);
    expect(next.perSecond).toBeLessThan(425 * 1.1);
  });

  it('goes to half of what gets through when the queue is long', () => {
    const queueing = { ...flowing, delayMs: 20 + limitMs * 4, settledPerSecond: 500 };
    expect(steer({ ...start, perSecond: 800 }, queueing, true, paceDefaults).perSecond).toBe(250);
  });

  it('is soon back near where it was too much, and climbs slowly from there', () => {
    let state = slow({ ...start, perSecond: 800 }, { ...good, loopLagP99Ms: 100 }, paceDefaults);
    const risen: number[] = [];
    for (let i = 0; i < 6; i++) {
      state = steer(state, { ...flowing, settledPerSecond: state.perSecond }, true, paceDefaults);
      risen.push(state.perSecond);
    }
    expect(risen.findIndex((perSecond) => perSecond >= 800 * 0.8)).toBeLessThan(3);
    expect(state.perSecond).toBeLessThan(800 * 1.2);
  });

  it('does not rise when the rate was not used, when a signal of the node is near its limit, nor when moves begin to queue', () => {
    expect(steer(start, { ...flowing, settledPerSecond: 50 }, true, paceDefaults).perSecond).toBe(200);
    expect(steer(start, flowing, false, paceDefaults).perSecond).toBe(200);
    expect(steer(start, { ...flowing, delayMs: 20 + limitMs * 0.8 }, true, paceDefaults).perSecond).toBe(200);
  });

  it('takes no far client for a queue', () => {
    let state: PaceState = { ...start, baseMs: undefined };
    for (let i = 0; i < 10; i++) {
      const far = { delayMs: 900, isMeasured: true, settledPerSecond: state.perSecond };
      state = steer(state, far, true, paceDefaults);
    }
    expect(state.perSecond).toBeGreaterThan(200);
  });
});

it('stays within its bounds whatever is reported', () => {
  const sample = fc.record({
    handshakeP99Ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
    loopLagP99Ms: fc.double({ min: 0, max: 1000, noNaN: true }),
    unackedPerSession: fc.double({ min: 0, max: 100, noNaN: true }),
    failedRatio: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const flow = fc.record({
    delayMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    isMeasured: fc.boolean(),
    settledPerSecond: fc.double({ min: 0, max: 10_000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(sample, flow, fc.boolean())), (reports) => {
      let state: PaceState = { ...start, baseMs: undefined };
      for (const [report, moves, isEasy] of reports) {
        state = steer(slow(state, report, paceDefaults), moves, isEasy, paceDefaults);
        expect(state.perSecond).toBeGreaterThanOrEqual(paceDefaults.minPerSecond);
        expect(state.perSecond).toBeLessThanOrEqual(paceDefaults.maxPerSecond);
      }
    }),
  );
});

describe('the allowance of a node', () => {
  it('is never more at once than a quarter of a second of its rate', () => {
    const pace = new NodeRate(paceDefaults, 0);
    expect(pace.available(60_000)).toBe(50);
    pace.take(50, 60_000);
    expect(pace.available(60_000)).toBe(0);
    expect(pace.available(60_100)).toBe(20);
  });

  it('starts where the plan before has come to, within the bounds of now', () => {
    const at = (perSecond: number) =>
      new NodeRate(paceDefaults, 0, { perSecond, limitPerSecond: perSecond }).perSecond;
    expect([at(700), at(1), at(9000)]).toEqual([700, paceDefaults.minPerSecond, paceDefaults.maxPerSecond]);
  });
});

describe('a slow report of a node', () => {
  const slowReport = { ...good, handshakeP99Ms: 500 };
  const queueing = { delayMs: 300, isMeasured: true, settledPerSecond: 100 };

  it('does not slow down again what was slowed down while its handshakes were under way, but the next one does', () => {
    const pace = new NodeRate(paceDefaults, 0);
    pace.flow({ ...queueing, delayMs: 20 }, 100);
    pace.flow(queueing, 1500);
    const lowered = pace.perSecond;
    expect(lowered).toBeLessThan(200);
    pace.feed(slowReport, 2000);
    expect(pace.perSecond).toBe(lowered);
    pace.feed(slowReport, 3000);
    expect(pace.perSecond).toBe(lowered / 2);
  });

  it('slows down at once what was not slowed down of late', () => {
    const pace = new NodeRate(paceDefaults, 0);
    pace.feed(slowReport, 1000);
    expect(pace.perSecond).toBe(100);
  });
});

describe('a plan whose moves queue at a node', () => {
  /** Until then the rate is looked for. */
  const settledInMs = 2000;

  it('gets three quarters of what the node bears at the least, with the handshake limit kept, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 150, max: 2500 }),
        fc.integer({ min: 5, max: 60 }),
        fc.nat(),
        (perSecond, baseMs, seed) => {
          const source = new Random(seed);
          const random = () => source.next();
          const count = Math.max(2000, perSecond * 8);
          const { moves, state } = playQueueing({ perSecond: () => perSecond, baseMs, count, random });
          expect(state).toBe('done');
          expect(moves).toHaveLength(count);
          const late = moves.filter(({ endedAtMs }) => endedAtMs > settledInMs);
          const overMs = (late.at(-1)?.endedAtMs ?? 0) - settledInMs;
          expect((late.length / overMs) * 1000).toBeGreaterThan(
            0.75 * Math.min(perSecond, paceDefaults.maxPerSecond),
          );
          expect(p99Of(late)).toBeLessThanOrEqual(paceDefaults.handshakeP99Ms);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('keeps the limit when the node becomes four times slower on the way', () => {
    const perSecond = (elapsedMs: number) => (elapsedMs < 3000 ? 800 : 200);
    const { moves } = playQueueing({ perSecond, baseMs: 20, count: 5000 });
    const late = moves.filter(({ endedAtMs }) => endedAtMs > 5000);
    expect(p99Of(late)).toBeLessThanOrEqual(paceDefaults.handshakeP99Ms);
    const overMs = (late.at(-1)?.endedAtMs ?? 0) - 5000;
    expect((late.length / overMs) * 1000).toBeGreaterThan(160);
  });

  it('is sent no faster than the ceiling', () => {
    const pace = { startPerSecond: 300, maxPerSecond: 300 };
    const { mostPerSecond } = playQueueing({ perSecond: () => 5000, baseMs: 5, count: 3000, pace });
    // A bucket lets through what it holds on top of what runs in.
    expect(mostPerSecond).toBeLessThanOrEqual(300 * 1.25);
  });
});

function p99Of(moves: readonly { delayMs: number }[]): number {
  const sorted = moves.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}

it('the allowance of a node is at once that of a greatest rate that is set lower, even one below the least', () => {
  const options = { ...paceDefaults };
  const pace = new NodeRate(options, 0);
  options.maxPerSecond = 5;
  pace.take(pace.available(60_000), 60_000);
  expect(pace.available(61_000)).toBeLessThanOrEqual(5);
  pace.feed({ handshakeP99Ms: 0, loopLagP99Ms: 100, unackedPerSession: 0, failedRatio: 0 }, 61_000);
  pace.flow({ ...flowing, settledPerSecond: 5 }, 62_000);
  pace.available(62_000);
  expect(pace.perSecond).toBeLessThanOrEqual(5);
});
