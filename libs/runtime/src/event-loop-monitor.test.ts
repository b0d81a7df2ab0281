import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventLoopMonitor, type LoopSample } from './event-loop-monitor.js';

function blockFor(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('EventLoopMonitor', () => {
  it('reports a blocked loop in the sample that covers it and not in those after it', async () => {
    const monitor = new EventLoopMonitor();
    onTestFinished(() => monitor.stop());
    const sampleUntil = (isWanted: (sample: LoopSample) => boolean, each: () => void = () => {}) =>
      vi.waitUntil(
        () => {
          const sample = monitor.sample();
          if (isWanted(sample)) return sample;
          each();
          return undefined;
        },
        { timeout: 15_000, interval: 50 },
      );

    // A block counts once the timer that it delayed has fired: with the next sample, or the one after it.
    const blocked = await sampleUntil(
      (sample) => sample.loopLagP99Ms > 400,
      () => blockFor(500),
    );
    expect(blocked.loopUtilization).toBeGreaterThan(0);
    expect(blocked.loopUtilization).toBeLessThanOrEqual(1);
    expect(blocked.cpu).toBeGreaterThan(0);
    expect(blocked.rssBytes).toBeGreaterThan(1_000_000);

    await sampleUntil((sample) => sample.loopLagP99Ms < 200);
  });
});
