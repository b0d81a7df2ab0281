import { expect, it } from 'vitest';
import { Refusal } from './answer.js';
import { RequestLimits } from './request-limits.js';

function limits(limitLoopback = false, random = () => 0) {
  const met: string[] = [];
  const rules = {
    address: { perSecond: 2, burst: 4 },
    user: { perSecond: 0.25, burst: 2 },
    limitLoopback,
  };
  return { met, limits: new RequestLimits(rules, (by) => met.push(by), random) };
}

/** Undefined, or the answer to what is too much. */
function answer(ask: () => void): Refusal | undefined {
  try {
    ask();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

it('an address has a burst and a rate of its own; beyond them 429 with the second to come back in', () => {
  const { limits: l, met } = limits();
  for (let n = 0; n < 4; n += 1) l.address('203.0.113.7', 0);
  expect(answer(() => l.address('203.0.113.7', 0))).toMatchObject({
    status: 429,
    code: 'rate-limited',
    headers: { 'retry-after': '1' },
  });
  l.address('203.0.113.8', 0);
  l.address('203.0.113.7', 500);
  expect(met).toEqual(['address']);
});

it('a network of IPv6 (/64) counts as one address', () => {
  const { limits: l } = limits();
  for (let n = 0; n < 4; n += 1) l.address(`2001:db8::${n}`, 0);
  expect(answer(() => l.address('2001:db8::ffff', 0))?.status).toBe(429);
  l.address('2001:db8:0:1::1', 0);
});

it('a user has a burst and a rate of its own, from wherever it asks', () => {
  const { limits: l, met } = limits();
  for (let n = 0; n < 2; n += 1) l.user('mallory', 0);
  expect(answer(() => l.user('mallory', 0))?.headers['retry-after']).toBe('4');
  l.user('alice', 0);
  l.user('mallory', 4_000);
  expect(met).toEqual(['user']);
});

it('who answers by itself is told the second as well, what a request costs, and what it leaves for others', () => {
  const { limits: l, met } = limits();
  const dear = { count: 1, kept: 2 };
  expect([1, 2, 3].map(() => l.addressWaitS('203.0.113.7', 0, dear))).toEqual([undefined, undefined, 1]);
  expect([1, 2, 3].map(() => l.addressWaitS('203.0.113.7', 0))).toEqual([undefined, undefined, 1]);
  expect([1, 2, 3].map(() => l.userWaitS('alice', 0))).toEqual([undefined, undefined, 4]);
  expect(met).toEqual(['address', 'address', 'user']);
});

it('the own addresses of this machine are limited only if that is set', () => {
  const free = limits().limits;
  for (let n = 0; n < 1_000; n += 1) for (const own of ['127.0.0.1', '::1']) free.address(own, 0);
  const bound = limits(true).limits;
  for (let n = 0; n < 4; n += 1) bound.address('127.0.0.1', 0);
  expect(answer(() => bound.address('127.0.0.1', 0))?.status).toBe(429);
});

it('a crowd of one address is not told the same second, but spread over the time that a burst takes to become free', () => {
  let n = 0;
  const { limits: l } = limits(false, () => (n++ % 10) / 10);
  for (let made = 0; made < 4; made += 1) l.address('203.0.113.7', 0);
  const told = Array.from(
    { length: 10 },
    () => answer(() => l.address('203.0.113.7', 0))?.headers['retry-after'],
  );
  expect(told).toEqual(['1', '1', '1', '1', '1', '2', '2', '2', '2', '2']);
});
