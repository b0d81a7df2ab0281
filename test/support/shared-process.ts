import { afterAll, vi } from 'vitest';

// Files of tests share their process: the next one has the time of the day, and everything as it was.
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});
