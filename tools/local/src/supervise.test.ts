import { describe, expect, it, vi } from 'vitest';
import { restartDelayMs, Supervisor } from './supervise.js';

describe('supervision', () => {
  it('doubles the delay with each end within a minute and gives up after five', () => {
    expect([1, 2, 3, 4, 5, 6].map(restartDelayMs)).toEqual([500, 1000, 2000, 4000, 8000, undefined]);
  });

  it('starts again what ended, and stops trying when it has been stopped', async () => {
    vi.useFakeTimers();
    const start = vi.fn(async () => undefined);
    const service = { name: 'edge-1', start, kill: async () => undefined };
    const onRestarted = vi.fn();
    const supervisor = new Supervisor({
      onRestarting: () => undefined,
      onRestarted,
      onGivenUp: () => undefined,
    });

    supervisor.onEnd(service, 'SIGKILL');
    await vi.advanceTimersByTimeAsync(500);
    expect(start).toHaveBeenCalledTimes(1);
    expect(onRestarted).toHaveBeenCalledWith(service);

    supervisor.stop();
    supervisor.onEnd(service, 'SIGKILL');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(start).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});
