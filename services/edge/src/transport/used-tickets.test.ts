import { describe, expect, it } from 'vitest';
import { UsedTickets } from './used-tickets.js';

describe('UsedTickets', () => {
  it('admits each ticket once while it is valid', () => {
    const used = new UsedTickets();
    expect(used.use('a', 100, 0)).toBe(true);
    expect(used.use('b', 100, 0)).toBe(true);
    expect(used.use('a', 100, 99)).toBe(false);
    expect(used.use('b', 100, 99)).toBe(false);
  });

  it('forgets tickets that have expired, which are refused as such before', () => {
    const used = new UsedTickets();
    used.use('a', 100, 0);
    expect(used.use('a', 100, 100)).toBe(true);
  });

  it('still knows a valid ticket behind others that have expired', () => {
    const used = new UsedTickets();
    used.use('short', 10, 0);
    used.use('long', 1_000, 0);
    used.use('short-too', 20, 0);
    expect(used.use('long', 1_000, 500)).toBe(false);
    expect(used.use('short-too', 2_000, 5)).toBe(false);
  });

  it('forgets the oldest beyond 100,000', () => {
    const used = new UsedTickets();
    for (let n = 0; n <= 100_000; n += 1) used.use(`t${n}`, 1e6, 0);
    expect(used.use('t100000', 1e6, 0)).toBe(false);
    expect(used.use('t50000', 1e6, 0)).toBe(false);
    expect(used.use('t0', 1e6, 0)).toBe(true);
  });
});
