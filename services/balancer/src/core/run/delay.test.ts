import { describe, expect, it } from 'vitest';
import { Flow } from './delay.js';

/** The edge's clock is another than ours. */
const edgeMs = 5_000_000;

describe('how long moves take', () => {
  it('is told from what was sent and what has ended, and how many end a second', () => {
    const flow = new Flow();
    for (let i = 0; i < 10; i++) {
      const atMs = i * 100;
      // 500 a second, each of which takes 150 ms.
      flow.observe(50, i === 0 ? 0 : i === 1 ? 25 : 50, edgeMs + atMs, atMs);
    }
    expect(flow.inFlight).toBe(75);
    expect(flow.delayMs(900)).toBeCloseTo(150);
    expect(flow.settledPerSecond(900)).toBeCloseTo(500);
    expect(flow.isMeasured).toBe(true);
  });

  it('grows while the edge says nothing, and what ends a second falls', () => {
    const flow = new Flow();
    flow.observe(50, 0, edgeMs, 0);
    flow.observe(50, 50, edgeMs + 100, 100);
    expect(flow.delayMs(1100)).toBeCloseTo(100 + 900);
    expect(flow.settledPerSecond(1100)).toBeLessThan(60);
  });

  it('is nothing when nothing is on its way, and not known when that has been so for a while', () => {
    const flow = new Flow();
    expect(flow.delayMs(0)).toBeUndefined();
    flow.observe(50, 50, edgeMs, 0);
    expect(flow.delayMs(50)).toBe(0);
    expect(flow.isMeasured).toBe(false);
    expect(flow.delayMs(1000)).toBeUndefined();
  });

  it('does not count a pause before the moves', () => {
    const flow = new Flow();
    flow.observe(50, 50, edgeMs, 0);
    flow.observe(50, 0, edgeMs + 5000, 5000);
    expect(flow.delayMs(5000)).toBeLessThanOrEqual(100);
  });

  it('is forgotten when nobody will tell', () => {
    const flow = new Flow();
    flow.observe(50, 0, edgeMs, 0);
    flow.giveUp();
    expect(flow.delayMs(60_000)).toBeUndefined();
  });
});
