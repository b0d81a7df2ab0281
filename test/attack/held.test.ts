import { describe, expect, it } from 'vitest';
import { heldAtOnce, type Span } from './held.js';

const span = (openedAtMs: number | undefined, closedAtMs?: number): Span => ({ openedAtMs, closedAtMs });

describe('connections that the other side holds at the same time', () => {
  it('are those that it does not close in time, counted from when each was open', () => {
    expect(heldAtOnce([span(0), span(10, 20), span(10, 4_000), span(3_000, 6_400)], 3_500)).toBe(2);
  });

  it('are all of them where nothing is refused', () => {
    expect(heldAtOnce([span(0), span(1), span(2)], 3_500)).toBe(3);
  });

  it('are not those that follow each other, as an attacker that dials slowly has them', () => {
    expect(heldAtOnce([span(0, 5_000), span(5_000, 10_000), span(10_100)], 3_500)).toBe(1);
  });

  it('are not those that were never open', () => {
    expect(heldAtOnce([span(undefined, 5), span(undefined)], 3_500)).toBe(0);
  });
});
