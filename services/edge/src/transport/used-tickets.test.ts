import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsedTickets } from './used-tickets.js';

describe('UsedTickets', () => {
  it('admits each ticket once until it expires, however long others live', () => {
    const use = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      lifeMs: fc.integer({ min: 1, max: 300_000 }),
      pauseMs: fc.integer({ min: 0, max: 20_000 }),
    });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 60 }), (uses) => {
        const used = new UsedTickets(100);
        const expiresAt = new Map<string, number>();
        let nowMs = 0;
        for (const { id, lifeMs, pauseMs } of uses) {
          nowMs += pauseMs;
          // A ticket is signed: it expires when it always did.
          const known = expiresAt.get(id);
          if (known !== undefined && known <= nowMs) continue;
          expiresAt.set(id, known ?? nowMs + lifeMs);
          expect(used.use(id, known ?? nowMs + lifeMs, nowMs)).toBe(known === undefined ? 'first' : 'again');
        }
      }),
    );
  });

  it('at its limit admits no more, and forgets none that could still be shown', () => {
    const used = new UsedTickets(100);
    for (let n = 0; n < 100; n += 1) used.use(`t${n}`, 30_000, 0);
    expect(used.use('one more', 30_000, 29_999)).toBe('full');
    expect(used.use('t0', 30_000, 29_999)).toBe('again');
    expect(used.use('t99', 30_000, 29_999)).toBe('again');
  });

  it('has room again once tickets have expired', () => {
    const used = new UsedTickets(100);
    for (let n = 0; n < 100; n += 1) used.use(`t${n}`, n < 10 ? 1_500 : 30_000, 0);
    expect(used.use('later', 30_000, 1_400)).toBe('full');
    for (let n = 0; n < 10; n += 1) expect(used.use(`u${n}`, 40_000, 2_000)).toBe('first');
    expect(used.use('later', 40_000, 2_000)).toBe('full');
  });
});
