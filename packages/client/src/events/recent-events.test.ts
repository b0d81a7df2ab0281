import { expect, it } from 'vitest';
import { RecentEvents } from './recent-events.js';

it('an id is a repeat while it is among the last so many', () => {
  const recent = new RecentEvents(3);
  for (const id of ['a', 'b', 'c']) expect(recent.isRepeat(id, 1, false)).toBe(false);
  expect(recent.isRepeat('a', 2, true)).toBe(true);
  expect(recent.isRepeat('d', 2, false)).toBe(false);
  expect(recent.isRepeat('a', 2, true)).toBe(false);
});

it('a derived id is a repeat only when redelivered, once for each that an earlier connection has brought', () => {
  const recent = new RecentEvents(8);
  expect(recent.isRepeat('~x', 1, false)).toBe(false);
  expect(recent.isRepeat('~x', 1, false)).toBe(false);
  expect(recent.isRepeat('~x', 1, true)).toBe(false);
  expect([1, 2, 3, 4].map(() => recent.isRepeat('~x', 2, true))).toEqual([true, true, true, false]);
  expect([1, 2, 3, 4].map(() => recent.isRepeat('~x', 3, true))).toEqual([true, true, true, true]);
  expect(recent.isRepeat('~x', 4, false)).toBe(false);
});

it('no more derived ids than the capacity are remembered', () => {
  const recent = new RecentEvents(2);
  for (const id of ['~a', '~b', '~c']) recent.isRepeat(id, 1, false);
  expect(['~c', '~a'].map((id) => recent.isRepeat(id, 2, true))).toEqual([true, false]);
});
