import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { EventLoopMonitor } from './event-loop-monitor.js';

const patience = { timeout: 15_000, interval: 20 };

function blockFor(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('EventLoopMonitor', () => {
  it('reports a blocked loop in the sample that covers it and not in those after it', async () => {
    const monitor = new EventLoopMonitor();
    onTestFinished(() => monitor.stop());

    // Blocks and samples by turns. Again where the block came before the first tick after a sample: that is not measured.
    let isToBlock = false;
    const blocked = await vi.waitUntil(() => {
      isToBlock = !isToBlock;
      if (isToBlock) return blockFor(500);
      const sample = monitor.sample();
      return sample.loopLagP99Ms > 400 ? sample : undefined;
    }, patience);
    expect(blocked?.loopUtilization).toBeGreaterThan(0);
    expect(blocked?.loopUtilization).toBeLessThanOrEqual(1);
    expect(blocked?.cpu).toBeGreaterThan(0);
    expect(blocked?.rssBytes).toBeGreaterThan(1_000_000);

    await vi.waitFor(() => expect(monitor.sample().loopLagP99Ms).toBeLessThan(200), patience);
  });

  it('goes on where no file is left to read memory from: that is as it was', () => {
    let left = 1;
    const used = <T>(value: T): T => {
      left -= 1;
      if (left < 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      return value;
    };
    const monitor = new EventLoopMonitor({
      cpu: () => used({ user: 0, system: 0 }),
      rssBytes: () => used(5_000_000),
    });
    onTestFinished(() => monitor.stop());
    expect(monitor.sample().rssBytes).toBe(0);
    left = 2;
    expect(monitor.sample().rssBytes).toBe(5_000_000);
    expect(monitor.sample()).toMatchObject({ rssBytes: 5_000_000, cpu: 0 });
  });
});
