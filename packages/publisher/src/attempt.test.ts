import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attempt, HandlerTimeout } from './attempt.js';

describe('a run of a handler', () => {
  it('is done with what it returns, or failed with what it throws', async () => {
    expect(await attempt(async () => 7, 1_000)).toEqual({ is: 'done', value: 7 });
    const error = new Error('no');
    expect(await attempt(() => Promise.reject(error), Number.POSITIVE_INFINITY)).toEqual({
      is: 'failed',
      error,
    });
  });

  it('has failed when its time is over, and hears so by its signal; its late failure troubles nobody', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let signal: AbortSignal | undefined;
    const result = attempt(async (given) => {
      signal = given;
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      throw new Error('late');
    }, 1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await result).toEqual({ is: 'failed', error: expect.any(HandlerTimeout) });
    expect(signal?.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
  });
});
