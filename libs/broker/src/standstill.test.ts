import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Standstill } from './standstill.js';

/** What each look says. */
function looks(...each: readonly (readonly [last: number, records: number])[]): boolean[] {
  const standstill = new Standstill();
  return each.map(([last, records]) => standstill.isSeen(last, records));
}

it('is seen at the second look that shows a record which does not come', () => {
  expect(looks([9, 10], [9, 10], [9, 11], [9, 11])).toEqual([false, false, false, true]);
  expect(looks([0, 1], [0, 1], [0, 2], [0, 7])).toEqual([false, false, false, true]);
});

it('is seen again, two looks later, for as long as nothing comes', () => {
  expect(looks([9, 10], [9, 10], [9, 11], [9, 11], [9, 11], [9, 11])).toEqual([
    false,
    false,
    false,
    true,
    false,
    true,
  ]);
});

it('is none where a record was on its way', () => {
  expect(looks([9, 10], [9, 10], [9, 11], [10, 12], [11, 12], [11, 12])).not.toContain(true);
});

it('is none where the number of records is late, or nobody knows it', () => {
  expect(looks([5, 5], [8, 8], [8, 9], [8, 9], [8, 9])).not.toContain(true);
  expect(looks([8, 9], [8, 9], [8, 0], [8, 9], [8, 9])).not.toContain(true);
});

/** What happens between two looks. */
const step = fc.record({ written: fc.nat(3), gone: fc.nat(3), unread: fc.nat(3), late: fc.nat(3) });

it('is never seen of who follows, whatever is written and goes, and always of who does not', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat(20), (steps, more) => {
      const standstill = new Standstill();
      let first = 0;
      let end = 0;
      const look = (last: number, late = 0) => standstill.isSeen(last, end - late - first + 1);
      for (const { written, gone, unread, late } of steps) {
        // What was there at the last look has come, and been counted.
        const before = end;
        end += written;
        first = Math.min(before, first + gone);
        expect(look(Math.max(before, end - unread), Math.min(late, written))).toBe(false);
      }
      const last = end;
      expect([look(last), look(last)]).toEqual([false, false]);
      end += more + 1;
      expect([look(last), look(last)]).toEqual([false, true]);
    }),
  );
});
