import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Term } from './term.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('tries again what fails while it leads, and says why until it has succeeded', async () => {
  const begin = vi.fn(async () => {});
  begin.mockRejectedValueOnce(new Error('no answer'));
  const log = { error: () => {} };
  const parts = { isLeading: () => true, begin, follow() {}, end: async () => {} };
  const term = new Term({ ...parts, log });
  term.won();
  await vi.advanceTimersByTimeAsync(100);
  expect(term.readiness()).toBe('taking over fails: no answer');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(term.readiness()).toBe(true);
  expect(begin).toHaveBeenCalledTimes(2);
});
