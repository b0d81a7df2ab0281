import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { countdown } from './countdown.js';

describe('a countdown', () => {
  describe('in a process that runs', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('ends once, after its time', async () => {
      const onEnd = vi.fn();
      countdown(1_000, onEnd);
      await vi.advanceTimersByTimeAsync(999);
      expect(onEnd).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(onEnd).toHaveBeenCalledTimes(1);
      expect(vi.getTimerCount()).toBe(0);
    });

    it('that is ended is silent', async () => {
      const onEnd = vi.fn();
      const end = countdown(1_000, onEnd);
      await vi.advanceTimersByTimeAsync(500);
      end();
      expect(vi.getTimerCount()).toBe(0);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(onEnd).not.toHaveBeenCalled();
    });
  });

  it('lets what came while the process stood still be read before it ends', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      countdown(100, () => {
        order.push('end');
        resolve();
      });
      // Comes after timers that are due, as what is read does.
      setImmediate(() => order.push('read'));
      const endsAtMs = performance.now() + 150;
      while (performance.now() < endsAtMs);
    });
    expect(order).toEqual(['read', 'end']);
  });
});
