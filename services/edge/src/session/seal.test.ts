import { beforeEach, describe, expect, it } from 'vitest';
import { Deliveries } from '../../testing/deliveries.js';
import { anybody } from './release.js';
import { Seal } from './seal.js';
import { vouchFor } from './vouch.js';

describe('a seal', () => {
  let deliveries: Deliveries;
  let gaps: string[];
  let seal: Seal;
  let nowMs: number;
  let droppedAtMs: number | undefined;
  beforeEach(() => {
    deliveries = new Deliveries();
    gaps = [];
    nowMs = 0;
    droppedAtMs = undefined;
    seal = new Seal({
      plant: () => Promise.resolve(true),
      hurry: () => {},
      leave: () => {},
      takeBack: () => undefined,
      node: 'edge-1',
      newName: () => 'new',
      counts: { unacked: 0, passed: 0 },
      unsettled: () => [],
      seq: () => 0,
      whyDropped: (sinceMs) => (droppedAtMs !== undefined && droppedAtMs >= sinceMs ? 'expired' : undefined),
      onGap: (reason) => void gaps.push(reason),
      isBare: false,
      now: () => nowMs,
    });
  });

  it('that comes first and was in hand before says that nothing was dropped', () => {
    seal.begin({ is: 'sealed' });
    expect(seal.take(deliveries.seal('s'))).toBe(true);
    expect([gaps, deliveries.seals]).toEqual([[], []]);
  });

  it('that nobody has had says nothing: what stood before it may have been dropped', () => {
    seal.begin({ is: 'sealed' });
    expect(seal.take({ ...deliveries.seal('s'), redelivered: false })).toBe(true);
    expect([gaps, deliveries.seals]).toEqual([['overflow'], ['ack s']]);
  });

  it('of a queue that was there before its client has begun is planted where it is not found, and nothing is told', () => {
    for (const first of [deliveries.event(1), { ...deliveries.seal('s'), redelivered: false }, undefined]) {
      seal.begin({ is: 'sealed', isNew: true, behind: 0 });
      if (first) seal.take(first);
      else seal.nothingCame();
      expect(seal.isExpected).toBe(false);
    }
    expect(gaps).toEqual([]);
  });

  it('of a queue that is lost while it is looked for has missed what any other has, however new its client', () => {
    seal.begin({ is: 'sealed', isNew: true });
    seal.lost();
    seal.take(deliveries.event(1));
    expect(gaps).toEqual(['overflow']);
  });

  it('that another edge was to put back counts after a loss only where the broker says that it was put back', () => {
    for (const redelivered of [true, false]) {
      seal.begin({ is: 'coming', name: 's', at: 'edge-2' });
      seal.lost();
      seal.take({ ...deliveries.seal('s'), redelivered });
    }
    expect(gaps).toEqual(['broker-lost']);
    seal.begin({ is: 'coming', name: 's', at: 'edge-2', behind: 1 });
    expect(seal.giveBack({ ...anybody, waitsForSeal: false })).toEqual({ seal: { behind: 1 } });
  });

  it('that is still to come is so for who comes next, unless that one only looks for it in the queue', () => {
    const older = { ...anybody, waitsForSeal: false };
    seal.begin({ is: 'coming', name: 's', at: 'edge-2', behind: 1 });
    expect(seal.giveBack(anybody)).toEqual({ seal: { name: 's', behind: 1, at: 'edge-2' } });
    seal.begin({ is: 'fresh' });
    expect(seal.giveBack(anybody)).toMatchObject({ seal: { behind: 0, at: 'edge-1' } });
    seal.begin({ is: 'fresh' });
    expect(seal.giveBack(older)).toEqual({ owed: 'overflow' });
  });

  it('is not waited for where what was left with nobody has lost something, as this edge has heard sooner', () => {
    droppedAtMs = nowMs;
    seal.begin({ is: 'coming', name: 's', at: 'edge-2', wasAway: true });
    seal.nothingCame();
    expect(gaps).toEqual(['expired']);
    seal.begin({ is: 'coming', name: 's', at: 'edge-2' });
    expect(seal.isExpected).toBe(false);
  });

  it('that is on its way is waited for when its session leaves, until somebody waits for that', async () => {
    seal.begin({ is: 'fresh' });
    const left = seal.settled(60_000);
    seal.awaited();
    await left;
    await seal.settled(60_000);
  });

  it('is for the next edge to look for where this one has let the session go before it looked', () => {
    expect(seal.giveBack(anybody)).toEqual({ seal: { name: undefined, behind: 0 } });
  });

  it('that was looked for after a loss of the broker, and is by the next edge, is told to be lost with that', () => {
    seal.begin({ is: 'sealed', name: 's' });
    seal.take(deliveries.seal('s'));
    seal.lost();
    const { seal: left } = seal.giveBack(anybody);
    expect(left).toEqual({ name: 's', behind: 0, reason: 'broker-lost' });
    seal.begin(vouchFor(left));
    seal.nothingCame();
    expect(gaps).toEqual(['broker-lost']);
  });

  it('that is lost is told for what was dropped since it was in hand, and not for what was before', () => {
    droppedAtMs = 1;
    for (const [atMs, why] of [
      [2, 'broker-lost'],
      [1, 'expired'],
    ] as const) {
      nowMs = atMs;
      seal.begin({ is: 'sealed', name: 's' });
      seal.take(deliveries.seal('s'));
      seal.lost();
      seal.nothingCame();
      expect(gaps.at(-1)).toBe(why);
    }
  });

  it('that is behind what comes again is still looked for there when something is told before', () => {
    seal.begin({ is: 'sealed', name: 's', behind: 2, reason: 'broker-lost' });
    seal.broken('overflow');
    seal.broken('overflow');
    expect(gaps).toEqual(['overflow']);
    for (const n of [1, 2]) seal.take(deliveries.event(n, { redelivered: true }));
    expect(gaps).toEqual(['overflow']);
    seal.take(deliveries.event(3));
    expect(gaps).toEqual(['overflow', 'broker-lost']);
  });

  it('that comes before what it was behind says that this was dropped', () => {
    seal.begin({ is: 'sealed', name: 's', behind: 2 });
    seal.take(deliveries.event(1, { redelivered: true }));
    expect(seal.take(deliveries.seal('s'))).toBe(true);
    expect([gaps, deliveries.seals]).toEqual([['overflow'], ['ack s']]);
  });

  it('that whoever had it last names was in hand, also where the broker does not mark it', () => {
    seal.begin({ is: 'sealed', name: 's' });
    expect(seal.take({ ...deliveries.seal('s'), redelivered: false })).toBe(true);
    seal.lost();
    expect(seal.take({ ...deliveries.seal('s'), redelivered: false })).toBe(true);
    expect(gaps).toEqual([]);
    seal.begin({ is: 'sealed' });
    seal.take({ ...deliveries.seal('s'), redelivered: false });
    expect(gaps).toEqual(['overflow']);
  });
});
