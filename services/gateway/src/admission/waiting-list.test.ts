import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxRetryAfterSeconds, WaitingList } from './waiting-list.js';

let users = 0;
/** Another one each time. */
const anybody = () => `u${users++}`;

describe('WaitingList', () => {
  it('fills one second after another', () => {
    const list = new WaitingList();
    const seconds = Array.from({ length: 30 }, () => list.book(anybody(), 500, 10, () => 0));
    expect(seconds.map((s) => [s])).toEqual([
      ...Array.from({ length: 9 }, () => [1]),
      ...Array.from({ length: 9 }, () => [2]),
      ...Array.from({ length: 9 }, () => [3]),
      ...Array.from({ length: 3 }, () => [4]),
    ]);
    expect(list.waiting(500)).toBe(30);
  });

  it('frees a second when it has come', () => {
    const list = new WaitingList();
    for (let i = 0; i < 9; i++) list.book(anybody(), 0, 10, () => 0);
    expect(list.book(anybody(), 0, 10, () => 0)).toBe(2);
    expect(list.book(anybody(), 2_000, 10, () => 0)).toBe(1);
    expect(list.waiting(2_000)).toBe(1);
  });

  it('spreads a crowd beyond its horizon over the second half of it', () => {
    const list = new WaitingList();
    for (let i = 0; i < maxRetryAfterSeconds; i++) list.book(anybody(), 0, 1, () => 0);
    expect(list.book(anybody(), 0, 1, () => 0)).toBe(60);
    expect(list.book(anybody(), 0, 1, () => 0.99)).toBe(31);
  });

  it('holds one place for a user: what else it asks for queues behind, in what the others leave free', () => {
    const list = new WaitingList();
    expect([1, 2, 3].map(() => list.book('mallory', 0, 10, () => 0))).toEqual([1, 2, 3]);
    for (let n = 0; n < 8; n += 1) expect(list.book(anybody(), 0, 10, () => 0)).toBe(1);
    expect(list.book('mallory', 3_000, 10, () => 0)).toBe(1);
  });

  it("makes nobody wait for a user's flood: whatever it asks for, it holds no more than one place of a second", () => {
    const event = fc.record({ isFlood: fc.boolean(), afterMs: fc.nat({ max: 300 }) });
    const slotsFor = (bookings: number) => Math.ceil(bookings / 0.9);
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), fc.integer({ min: 2, max: 5 }), (events, slots) => {
        const [flooded, calm] = [new WaitingList(), new WaitingList()];
        let nowMs = 0;
        for (const { isFlood, afterMs } of events) {
          nowMs += afterMs;
          if (isFlood) {
            flooded.book('mallory', nowMs, slotsFor(slots), () => 0);
            continue;
          }
          const uid = anybody();
          // Without the flood, and with one place fewer.
          const calmly = calm.book(uid, nowMs, slotsFor(slots - 1), () => 0);
          expect(flooded.book(uid, nowMs, slotsFor(slots), () => 0)).toBeLessThanOrEqual(calmly);
        }
      }),
    );
  });
});
