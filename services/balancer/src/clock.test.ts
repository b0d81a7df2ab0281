import { expect, it, vi } from 'vitest';
import { steadyNowMs } from './clock.js';

it('goes on when the host sets its clock, back or ahead', () => {
  const beganAtMs = steadyNowMs();
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (const stepMs of [-600_000, 600_000]) {
      vi.setSystemTime(Date.now() + stepMs);
      const nowMs = steadyNowMs();
      expect(nowMs).toBeGreaterThanOrEqual(beganAtMs);
      expect(nowMs - beganAtMs).toBeLessThan(300_000);
    }
  } finally {
    vi.useRealTimers();
  }
});
