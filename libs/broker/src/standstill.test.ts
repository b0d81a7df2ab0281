import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Standstill } from './standstill.js';

it('is seen at the second look after a record that does not come', () => {
  const standstill = new Standstill();
  expect([standstill.isSeen(9, 10), standstill.isSeen(9, 10), standstill.isSeen(9, 11)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(standstill.isSeen(9, 12)).toBe(true);
});

it('is none where a record was on its way, nor where nobody knows how many there are', () => {
  const standstill = new Standstill();
  standstill.isSeen(9, 10);
  expect([standstill.isSeen(9, 11), standstill.isSeen(10, 12), standstill.isSeen(11, 12)]).toEqual([
    false,
    false,
    false,
  ]);
  expect([standstill.isSeen(11, 0), standstill.isSeen(11, 12), standstill.isSeen(11, 12)]).toEqual([
    false,
    false,
    false,
  ]);
});

it('is seen in an empty stream too', () => {
  const standstill = new Standstill();
  standstill.isSeen(-1, 0);
  expect(standstill.isSeen(0, 1)).toBe(false);
  expect([standstill.isSeen(0, 2), standstill.isSeen(0, 2)]).toEqual([false, true]);
});

/** What happens between two looks. */
const step = fc.record({ written: fc.nat(5), gone: fc.nat(5), unread: fc.nat(5) });

it('is never seen of who follows, whatever is written and goes, and always of who does not', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat(20), (steps, more) => {
      const standstill = new Standstill();
      let first = 0;
      let end = 0;
      let last = 0;
      const look = () => standstill.isSeen(last, end - first + 1);
      expect(look()).toBe(false);
      for (const { written, gone, unread } of steps) {
        // What was there at the last look has come.
        last = end;
        end += written;
        last = Math.max(last, end - unread);
        first = Math.min(end, first + gone);
        expect(look()).toBe(false);
      }
      last = end;
      look();
      end += more + 1;
      expect([look(), look()]).toEqual([false, true]);
    }),
  );
});
