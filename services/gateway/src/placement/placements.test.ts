import type { NodeStats } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burst, counted, placer, stats } from '../../testing/placing.js';

describe('nodes that may take clients', () => {
  it('never goes over the capacity of a node, reservations counted', () => {
    const p = placer();
    p.observe(stats('a', { connections: 95, capacity: 100 }), 0);
    p.observe(stats('b', { connections: 90, capacity: 100 }), 0);
    expect(counted(burst(p, 15, 10))).toEqual(
      new Map([
        ['b', 10],
        ['a', 5],
      ]),
    );
    expect(p.place({ uid: 'u', sid: 's' }, 20)).toMatchObject({ kind: 'refused', reason: 'full' });
  });

  it('never places on a cordoned, draining or silent node', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('active', 'cordoned', 'draining', 'silent'), {
          minLength: 1,
          maxLength: 12,
        }),
        (states) => {
          const p = placer();
          for (const [i, state] of states.entries()) {
            const seenAtMs = state === 'silent' ? 0 : 6_000;
            const reported = state === 'silent' ? 'active' : (state as NodeStats['state']);
            p.observe(stats(`e${i}`, { state: reported, version: `1.${i}` }), seenAtMs);
          }
          for (let i = 0; i < 20; i++) {
            const placed = p.place({ uid: 'u', sid: `s${i}` }, 6_000);
            if (placed.kind === 'placed') expect(states[Number(placed.node.slice(1))]).toBe('active');
            else expect(states).not.toContain('active');
          }
        },
      ),
    );
  });

  it('forgets a node after 15 s of silence and takes it back when it reports again', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    expect(p.snapshot(14_000).nodes).toHaveLength(1);
    expect(p.snapshot(15_000).nodes).toEqual([]);
    p.observe(stats('a', { seq: 9 }), 16_000);
    expect(p.place({ uid: 'u', sid: 's' }, 16_000)).toMatchObject({ kind: 'placed', node: 'a' });
  });

  it('shows a silent node as suspect after 3 s, as the balancer does, and a silent one that was leaving as gone', () => {
    const p = placer();
    const stateAt = (nowMs: number) => p.snapshot(nowMs).nodes[0]?.state;
    p.observe(stats('a'), 0);
    expect([0, 2_999, 3_000, 14_999].map(stateAt)).toEqual(['active', 'active', 'suspect', 'suspect']);
    p.observe(stats('a', { seq: 2, at: 16_000, state: 'draining' }), 16_000);
    expect([16_000, 18_999, 19_000].map(stateAt)).toEqual(['draining', 'draining', 'gone']);
  });

  it('sends nobody to an edge that its clients say they have lost, until it reports again', () => {
    const p = placer();
    p.observe(stats('dead', { connections: 200 }), 0);
    p.observe(stats('live', { connections: 300 }), 0);
    const back = Array.from({ length: 200 }, (_, i) =>
      p.place({ uid: `u${i}`, sid: 's', from: 'dead' }, 500),
    );
    expect(back.filter((b) => b.kind === 'placed' && b.node === 'dead').length).toBeLessThanOrEqual(2);
    p.observe(stats('dead', { seq: 2, at: 1_000, connections: 10 }), 1_000);
    expect(p.place({ uid: 'v', sid: 's' }, 1_000)).toMatchObject({ node: 'dead' });
  });

  it('does not take one user who comes back again and again for the loss of an edge', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.observe(stats('b', { connections: 1_000 }), 0);
    const nodes = Array.from({ length: 50 }, (_, i) => p.place({ uid: 'u', sid: `s${i}`, from: 'a' }, 500));
    expect(nodes.every((n) => n.kind === 'placed' && n.node === 'a')).toBe(true);
  });

  it('prefers edges whose reports are on time, and takes late ones when there are no others', () => {
    const p = placer();
    p.observe(stats('late'), 0);
    expect(p.place({ uid: 'u', sid: 's' }, 3_000)).toMatchObject({ node: 'late' });
    p.observe(stats('b', { connections: 500 }), 3_000);
    expect(p.place({ uid: 'v', sid: 's' }, 3_000)).toMatchObject({ node: 'b' });
  });

  describe('whose clock is off', () => {
    const report = (p: ReturnType<typeof placer>, ahead: Record<string, number>, nowMs: number) => {
      for (const [node, aheadMs] of Object.entries(ahead))
        p.observe(
          stats(node, { seq: nowMs, at: nowMs + aheadMs, connections: node === 'off' ? 0 : 500 }),
          nowMs,
        );
    };

    it.each([40_000, -40_000])('by %s ms are avoided while there are others, and shown', (aheadMs) => {
      const p = placer();
      report(p, { off: aheadMs, a: 0, b: 0 }, 1_000);
      expect(p.snapshot(1_000).nodes.map((n) => n.clockAheadMs)).toEqual([0, 0, aheadMs]);
      for (let n = 0; n < 20; n += 1)
        expect(p.place({ uid: `u${n}`, sid: 's' }, 1_000)).not.toMatchObject({ node: 'off' });
    });

    it('are taken when they are all there are, with tickets in their time', () => {
      const p = placer();
      p.observe(stats('off', { at: 41_000, steadyAt: 31_000 }), 1_000);
      expect(p.place({ uid: 'u', sid: 's' }, 1_000)).toMatchObject({ node: 'off', edgeNowMs: 31_000 });
    });

    it('are taken by the gateway that is itself off, and two gateways agree on the time', () => {
      const [right, behind] = [placer(), placer()];
      report(right, { a: 0, b: 0 }, 100_000);
      report(behind, { a: 20_000, b: 20_000 }, 80_000);
      const placed = [
        right.place({ uid: 'u', sid: 's' }, 100_000),
        behind.place({ uid: 'u', sid: 's' }, 80_000),
      ];
      for (const each of placed) expect(each).toMatchObject({ edgeNowMs: 100_000, meshNowMs: 100_000 });
    });
  });

  it('drops what was under way to a process that has been restarted', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    burst(p, 50, 10);
    p.observe(stats('a', { boot: 'b2' }), 500);
    expect(p.snapshot(500).nodes[0]?.reserved).toBe(0);
  });

  it('ignores a late report of the process before', () => {
    const p = placer();
    p.observe(stats('a', { connections: 5 }), 0);
    p.observe(stats('a', { boot: 'b2', connections: 1 }), 500);
    p.observe(stats('a', { seq: 2, connections: 6 }), 600);
    expect(p.snapshot(600).nodes[0]?.connections).toBe(1);
  });
});
