import { expect, it } from 'vitest';
import { Patience } from './patience.js';

it('respects a reason for its time at a stretch, and again only after it has been away for ten seconds', () => {
  const patience = new Patience();
  const has = (nowMs: number, isThere = true) => patience.has('clients attach', isThere, 30_000, nowMs);
  for (let nowMs = 0; nowMs < 30_000; nowMs += 1_000) expect(has(nowMs)).toBe(true);
  for (let nowMs = 30_000; nowMs < 90_000; nowMs += 1_000) expect(has(nowMs)).toBe(false);
  for (let nowMs = 90_000; nowMs < 95_000; nowMs += 1_000) expect(has(nowMs, false)).toBe(false);
  expect(has(95_000)).toBe(false);
  expect(has(105_001)).toBe(true);
});
