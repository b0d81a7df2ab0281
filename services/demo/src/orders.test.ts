import { describe, expect, it } from 'vitest';
import { Orders } from './orders.js';

const numbersOf = (orders: Orders, user: string, nowMs: number) =>
  orders
    .next(nowMs)
    .filter((due) => due.user === user)
    .map((due) => due.order.number);

describe('Orders', () => {
  it('numbers the orders of each user from 1 without gaps', () => {
    const orders = new Orders();
    orders.see('a', 0);
    expect(numbersOf(orders, 'a', 1_000)).toEqual([1]);
    orders.see('b', 1_500);
    orders.see('a', 1_500);
    expect(numbersOf(orders, 'a', 2_000)).toEqual([2]);
    expect(numbersOf(orders, 'b', 3_000)).toEqual([2]);
  });

  it('ends a minute after the user was seen last, and goes on where it stopped', () => {
    const orders = new Orders();
    orders.see('a', 0);
    orders.next(59_999);
    expect(orders.next(60_000)).toEqual([]);
    orders.see('a', 90_000);
    expect(numbersOf(orders, 'a', 90_000)).toEqual([2]);
  });

  it('serves the 1,000 users that were seen last', () => {
    const orders = new Orders();
    for (let i = 0; i <= 1_000; i++) orders.see(`u${i}`, i);
    const users = orders.next(1_001).map((due) => due.user);
    expect(users).toHaveLength(1_000);
    expect(users).not.toContain('u0');
  });

  it('begins another run when numbers were lost', () => {
    const orders = new Orders();
    orders.see('a', 0);
    const before = orders.next(0)[0]?.order;
    orders.renumber();
    const after = orders.next(0)[0]?.order;
    expect(after?.number).toBe(1);
    expect(after?.run).not.toBe(before?.run);
  });
});
