import { describe, expect, it } from 'vitest';
import { maxRetryAfterSeconds, WaitingList } from './waiting-list.js';

describe('WaitingList', () => {
  it('fills one second after another', () => {
    const list = new WaitingList();
    const seconds = Array.from({ length: 30 }, () => list.book(500, 10, () => 0));
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
    for (let i = 0; i < 9; i++) list.book(0, 10, () => 0);
    expect(list.book(0, 10, () => 0)).toBe(2);
    expect(list.book(2_000, 10, () => 0)).toBe(1);
    expect(list.waiting(2_000)).toBe(1);
  });

  it('spreads a crowd beyond its horizon over the second half of it', () => {
    const list = new WaitingList();
    for (let i = 0; i < maxRetryAfterSeconds; i++) list.book(0, 1, () => 0);
    expect(list.book(0, 1, () => 0)).toBe(60);
    expect(list.book(0, 1, () => 0.99)).toBe(31);
  });
});
