import { describe, expect, it } from 'vitest';
import { MoveDelay } from './delay.js';

/** The edge's clock is another than ours. */
const edgeMs = 5_000_000;

describe('how long moves take', () => {
  it('is known from what was sent and what has ended, and how many end a second', () => {
    const delay = new MoveDelay();
    for (let i = 0; i < 10; i++) {
      const atMs = i * 100;
      // 500 a second, each of which takes 150 ms.
      delay.observe(50, i === 0 ? 0 : i === 1 ? 25 : 50, edgeMs + atMs, atMs);
    }
    expect(delay.inFlight).toBe(75);
    expect(delay.delayMs(900)).toBeCloseTo(150);
    expect(delay.settledPerSecond(900)).toBeCloseTo(500);
    expect(delay.isMeasured).toBe(true);
  });

  it('grows while the edge says nothing, and what ends a second falls', () => {
    const delay = new MoveDelay();
    delay.observe(50, 0, edgeMs, 0);
    delay.observe(50, 50, edgeMs + 100, 100);
    expect(delay.delayMs(1100)).toBeCloseTo(100 + 900);
    expect(delay.settledPerSecond(1100)).toBeLessThan(60);
  });

  it('is nothing when nothing is on its way, and not known when that has been so for a while', () => {
    const delay = new MoveDelay();
    expect(delay.delayMs(0)).toBeUndefined();
    delay.observe(50, 50, edgeMs, 0);
    expect(delay.delayMs(50)).toBe(0);
    expect(delay.isMeasured).toBe(false);
    expect(delay.delayMs(1000)).toBeUndefined();
  });

  it('does not count a pause before the moves', () => {
    const delay = new MoveDelay();
    delay.observe(50, 50, edgeMs, 0);
    delay.observe(50, 0, edgeMs + 5000, 5000);
    expect(delay.delayMs(5000)).toBeLessThanOrEqual(100);
  });

  it('is forgotten when no report will come', () => {
    const delay = new MoveDelay();
    delay.observe(50, 0, edgeMs, 0);
    delay.giveUp();
    expect(delay.delayMs(60_000)).toBeUndefined();
  });
});
