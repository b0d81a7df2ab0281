import { sleep } from '@evenkeel/pace';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventLoopMonitor } from './event-loop-monitor.js';

function blockFor(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

describe('EventLoopMonitor', () => {
  it('sees a blocked loop in the sample it happened in and not in the next', async () => {
    const monitor = new EventLoopMonitor();
    onTestFinished(() => monitor.stop());
    await sleep(30);
    monitor.sample();
    await sleep(30);
    blockFor(200);
    await sleep(30);
    const busy = monitor.sample();
    expect(busy.loopLagP99Ms).toBeGreaterThan(100);
    expect(busy.loopUtilization).toBeGreaterThan(0.5);
    expect(busy.cpu).toBeGreaterThan(0.2);
    expect(busy.rssBytes).toBeGreaterThan(1_000_000);
    await sleep(300);
    expect(monitor.sample().loopLagP99Ms).toBeLessThan(busy.loopLagP99Ms);
  });
});
