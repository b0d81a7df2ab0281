import { describe, expect, it } from 'vitest';
import { HandshakeLimits, type HandshakeRules } from './handshakes.js';

const limitsOf = (over: Partial<HandshakeRules> = {}) =>
  new HandshakeLimits(
    {
      handshakesPerSecond: 200,
      handshakesBurst: 400,
      userHandshakesPerSecond: 2,
      userHandshakesBurst: 3,
      limitLoopback: false,
      ...over,
    },
    () => 0,
  );
const here = '203.0.113.7';
const taken = (count: number, ask: (n: number) => number | undefined) =>
  Array.from({ length: count }, (_, n) => ask(n)).filter((waitS) => waitS === undefined).length;

describe('sockets that are asked for', () => {
  it('with good tickets are as many of an address as it may have, at once and a second; others have their own', () => {
    const limits = limitsOf();
    expect(taken(500, () => limits.address(here, 0))).toBe(400);
    expect(limits.address(here, 0)).toBe(1);
    expect(limits.address('203.0.113.8', 0)).toBe(undefined);
    expect(taken(500, () => limits.address(here, 1_000))).toBe(200);
  });

  it('that are refused count most, and leave half of the burst to good tickets of the same address', () => {
    const limits = limitsOf();
    expect(taken(500, () => limits.refused(here, 0))).toBe(10);
    expect(taken(500, () => limits.address(here, 0))).toBe(200);
    // Whatever else is refused there goes on at its pace, and is told so.
    expect(limits.refused(here, 1_000)).toBe(1);
    expect(taken(500, () => limits.refused(here, 2_100))).toBe(10);
    expect(taken(500, () => limits.refused('203.0.113.8', 0))).toBe(10);
  });

  it('that are refused are answered what is wrong however little is allowed', () => {
    const limits = limitsOf({ handshakesPerSecond: 1, handshakesBurst: 2 });
    expect(taken(10, () => limits.refused(here, 0))).toBe(1);
  });

  it('of a network of IPv6 count together, and those of this machine only where that is asked for', () => {
    const limits = limitsOf();
    expect(taken(500, (n) => limits.address(`2001:db8::${n.toString(16)}`, 0))).toBe(400);
    expect(taken(9_000, () => limits.address('127.0.0.1', 0))).toBe(9_000);
    expect(taken(9_000, () => limits.refused('::1', 0))).toBe(9_000);
    const all = limitsOf({ limitLoopback: true });
    expect(taken(500, () => all.address('127.0.0.1', 0))).toBe(400);
  });

  it('by a user are as many as it may, whatever its addresses', () => {
    const limits = limitsOf();
    expect(taken(9, () => limits.user('alice', 0))).toBe(3);
    expect(limits.user('bob', 0)).toBe(undefined);
    expect(taken(9, () => limits.user('alice', 1_000))).toBe(2);
  });

  it('from more than 10,000 addresses, or by more users, are remembered no more: the oldest begin anew', () => {
    const limits = limitsOf();
    expect(taken(9, () => limits.user('alice', 0))).toBe(3);
    for (let n = 0; n < 10_000; n += 1) limits.user(`u${n}`, 0);
    expect(limits.user('alice', 0)).toBe(undefined);
  });
});
