import { describe, expect, it } from 'vitest';
import { PendingConnections, type PendingOptions } from './pending.js';

const pendingOf = (over: Partial<PendingOptions> = {}) =>
  new PendingConnections({
    room: { maxPending: 10 },
    maxPerAddress: 3,
    trustedHops: 0,
    limitLoopback: false,
    ...over,
  });
const taken = (pending: PendingConnections, address: string, count: number, nowMs = 0) =>
  Array.from({ length: count }, () => pending.opened(address, nowMs)).filter(Boolean).length;

describe('connections that have asked for nothing yet', () => {
  it('are bounded in all, wherever they come from, and room comes back as they go', () => {
    const pending = pendingOf();
    for (let n = 0; n < 12; n += 1) expect(pending.opened(`10.0.0.${n}`, 0)).toBe(n < 10);
    expect(pending.refused).toBe(2);
    expect(pending.refusedFor).toEqual({ maxPending: 2, maxPendingPerAddress: 0 });
    for (let n = 0; n < 3; n += 1) pending.settled();
    expect(pending.count).toBe(9);
    expect(pending.opened('10.0.1.1', 0)).toBe(true);
  });

  it('are bounded of an address, of IPv6 of a /64, and leave the others alone', () => {
    const pending = pendingOf({ room: { maxPending: 100 } });
    expect(taken(pending, '203.0.113.7', 5)).toBe(3);
    expect(taken(pending, '203.0.113.8', 1)).toBe(1);
    expect(
      ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4'].map((v6) => pending.opened(v6, 0)),
    ).toEqual([true, true, true, false]);
    expect(pending.opened('2001:db8:0:1::1', 0)).toBe(true);
  });

  it('of a handful of addresses leave room for those who come from elsewhere, without waiting', () => {
    for (const attackers of [4, 16, 64]) {
      const pending = pendingOf({ room: { maxPending: 1_000 }, maxPerAddress: 256 });
      for (let round = 0; round < 300; round += 1)
        for (let n = 0; n < attackers; n += 1) if (!pending.opened(`203.0.113.${n}`, 0)) pending.settled();
      expect(taken(pending, '198.51.100.1', 8), `${attackers} addresses`).toBeGreaterThanOrEqual(7);
    }
  });

  it('of one address alone may be as many as it may have', () => {
    const pending = pendingOf({ room: { maxPending: 1_000 }, maxPerAddress: 256 });
    expect(taken(pending, '203.0.113.7', 300)).toBe(256);
  });

  it('stop counting for their address once they have asked, or after 12 s, however they went', () => {
    const pending = pendingOf({ room: { maxPending: 1_000 } });
    expect(taken(pending, '203.0.113.7', 3)).toBe(3);
    pending.asked('203.0.113.7');
    expect(taken(pending, '203.0.113.7', 2, 1_000)).toBe(1);
    for (let n = 0; n < 3; n += 1) pending.settled();
    expect(taken(pending, '203.0.113.7', 1, 11_999)).toBe(0);
    expect(taken(pending, '203.0.113.7', 3, 12_000)).toBe(2);
  });

  it('are not counted for an address of this machine unless that is asked for, nor behind proxies', () => {
    expect(taken(pendingOf(), '127.0.0.1', 10)).toBe(10);
    expect(taken(pendingOf({ limitLoopback: true }), '127.0.0.1', 10)).toBe(3);
    expect(taken(pendingOf({ trustedHops: 1 }), '10.0.0.1', 10)).toBe(10);
  });

  it('remembers only so many addresses', () => {
    const pending = pendingOf({ room: { maxPending: 100_000 }, maxPerAddress: 1 });
    for (let n = 0; n <= 10_000; n += 1) pending.opened(`10.1.${n >> 8}.${n & 255}`, 0);
    expect(pending.opened('10.1.0.0', 0)).toBe(true);
    expect(pending.opened(`10.1.${10_000 >> 8}.${10_000 & 255}`, 0)).toBe(false);
  });
});
