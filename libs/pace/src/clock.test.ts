import { expect, it, vi } from 'vitest';
import { monotonicNow, steadyNow, wallNow } from './clock.js';

it('what lasts is measured alike when the host sets its clock, back or ahead', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (const clock of [monotonicNow, steadyNow])
      for (const stepMs of [-600_000, -5_000, 20_000, 3_600_000]) {
        const beganAtMs = clock();
        vi.setSystemTime(wallNow() + stepMs);
        expect(clock() - beganAtMs).toBeGreaterThanOrEqual(0);
        expect(clock() - beganAtMs).toBeLessThan(3_000);
      }
  } finally {
    vi.useRealTimers();
  }
});

it('the steady clock began as the host had it', () => {
  expect(Math.abs(steadyNow() - wallNow())).toBeLessThan(10_000);
});
