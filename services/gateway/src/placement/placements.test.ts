import type { NodeStats } from '@evenkeel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burst, counted, hearing, placer, stats } from '../../testing/placing.js';
import { viewKeptMs } from './placements.js';
import type { Arrival } from './placer.js';

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
          for (const [i, state] of states.entries())
            if (state === 'silent') p.observe(stats(`e${i}`, { version: `1.${i}` }), 0);
          hearing(p, 0, 6_000);
          for (const [i, state] of states.entries()) {
            const reported = state as NodeStats['state'] | 'silent';
            if (reported !== 'silent')
              p.observe(stats(`e${i}`, { state: reported, version: `1.${i}` }), 6_000);
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
    const names = (nowMs: number) => p.snapshot(nowMs).nodes.map(({ node }) => node);
    p.observe(stats('a'), 0);
    hearing(p, 0, 14_000);
    expect(names(14_999)).toEqual(['a', 'other']);
    hearing(p, 15_000, 16_000);
    expect(names(16_000)).toEqual(['other']);
    p.observe(stats('a', { seq: 9 }), 16_000);
    expect(p.place({ uid: 'u', sid: 's' }, 16_000)).toMatchObject({ kind: 'placed', node: 'a' });
  });

  it('shows a silent node as suspect after 3 s, as the balancer does, and a silent one that was leaving as gone', () => {
    const p = placer();
    const stateAt = (nowMs: number) => p.snapshot(nowMs).nodes[0]?.state;
    p.observe(stats('a'), 0);
    hearing(p, 0, 14_000);
    expect([0, 2_999, 3_000, 14_999].map(stateAt)).toEqual(['active', 'active', 'suspect', 'suspect']);
    p.observe(stats('a', { seq: 2, at: 16_000, state: 'draining' }), 16_000);
    expect([16_000, 18_999, 19_000].map(stateAt)).toEqual(['draining', 'draining', 'gone']);
  });

  it('places by the last view for an hour when nobody at all is heard, and by the nodes again once they are', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.observe(stats('b', { connections: 4 }), 500);
    for (const nowMs of [3_000, 20_000, 70_000, viewKeptMs]) {
      const nodes = Array.from({ length: 4 }, (_, i) => p.place({ uid: `u${nowMs}`, sid: `${i}` }, nowMs));
      expect(nodes.every(({ kind }) => kind === 'placed')).toBe(true);
      expect(p.snapshot(nowMs)).toMatchObject({ silentMs: nowMs - 500 });
    }
    const afterMs = viewKeptMs + 6_000;
    expect(p.place({ uid: 'u', sid: 's' }, afterMs)).toMatchObject({ kind: 'refused', reason: 'none' });
    p.observe(stats('a', { seq: 67 }), afterMs + 1_000);
    expect(p.place({ uid: 'u', sid: 's' }, afterMs + 1_000)).toMatchObject({ kind: 'placed', node: 'a' });
    expect(p.snapshot(afterMs + 1_000)).not.toHaveProperty('silentMs');
  });

  it('still drops one that falls silent among others, after a silence of all too', () => {
    const p = placer();
    p.observe(stats('dead'), 0);
    hearing(p, 600_000, 606_000);
    expect(p.place({ uid: 'u', sid: 's' }, 606_000)).toMatchObject({ kind: 'refused', reason: 'none' });
  });

  it('counts whom it has sent in a silence of all for as long as that lasts', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.observe(stats('b', { connections: 100 }), 0);
    const sent = [...burst(p, 100, 10_000, 'early'), ...burst(p, 100, 100_000, 'late')];
    expect(counted(sent)).toEqual(
      new Map([
        ['a', 150],
        ['b', 50],
      ]),
    );
  });

  describe('in a silence of all, who comes back', () => {
    /** To where a client is sent that names `heldBy`, at `nowMs`; `a` is the least loaded. */
    const sentTo = (arrival: Partial<Arrival>, nowMs = 5_000, over: Partial<NodeStats> = {}) => {
      const p = placer();
      p.observe(stats('a'), 0);
      p.observe(stats('b', { connections: 50, ...over }), 0);
      p.observe(stats('c', { connections: 90, state: 'cordoned' }), 0);
      const placed = p.place({ uid: 'u', sid: 's', ...arrival }, nowMs);
      return placed.kind === 'placed' ? placed.node : placed.reason;
    };

    it('goes to where its session is: elsewhere that would have to be asked for by RabbitMQ', () => {
      expect(sentTo({ heldBy: 'b' })).toBe('b');
      expect(sentTo({ heldBy: 'b' }, 600_000)).toBe('b');
    });

    it('goes elsewhere from a node that has failed it, is cordoned, over its capacity, or not known', () => {
      expect(sentTo({ heldBy: 'b', tried: ['b'] })).toBe('a');
      expect(sentTo({ heldBy: 'c' })).toBe('a');
      expect(sentTo({ heldBy: 'd' })).toBe('a');
      expect(sentTo({ heldBy: 'b' }, 5_000, { capacity: 49 })).toBe('a');
      // Its own socket may be among them.
      expect(sentTo({ heldBy: 'b' }, 5_000, { capacity: 50 })).toBe('b');
    });

    it('has a say in nothing while anybody is heard, nor has a new session', () => {
      expect(sentTo({ heldBy: 'b' }, 1_000)).toBe('a');
      expect(sentTo({ heldBy: 'b', sid: undefined })).toBe('a');
    });

    it('waits for a slot there, and is not counted twice', () => {
      const p = placer({ base: 1 });
      p.observe(stats('a'), 0);
      p.observe(stats('b', { connections: 50 }), 0);
      const back = Array.from({ length: 50 }, (_, n) =>
        p.place({ uid: `u${n}`, sid: 's', heldBy: 'b' }, 5_000),
      );
      const outcomes = back.map((each) => (each.kind === 'placed' ? each.node : each.reason));
      expect([...counted(outcomes).keys()]).toEqual(['b', 'wait']);
      expect(p.snapshot(5_000).nodes.map(({ reserved }) => reserved)).toEqual([0, 0]);
    });
  });

  it('sends nobody to an edge that is overdue and that its clients say they have lost, until it reports again', () => {
    const p = placer();
    p.observe(stats('dead', { connections: 200 }), 0);
    p.observe(stats('live', { connections: 300 }), 0);
    hearing(p, 0, 1_000);
    const back = Array.from({ length: 200 }, (_, i) =>
      p.place({ uid: `u${i}`, sid: 's', from: 'dead' }, 1_600),
    );
    expect(back.filter((b) => b.kind === 'placed' && b.node === 'dead').length).toBeLessThanOrEqual(2);
    p.observe(stats('dead', { seq: 2, at: 2_000, connections: 10 }), 2_000);
    expect(p.place({ uid: 'v', sid: 's' }, 2_000)).toMatchObject({ node: 'dead' });
  });

  it('believes no client that an edge which reports on time is lost', () => {
    const p = placer();
    const nodes: string[] = [];
    for (let second = 0; second < 20; second++) {
      for (const node of ['a', 'b']) {
        const more = { seq: second + 1, at: second * 1_000, connections: node === 'a' ? 10 : 20 };
        p.observe(stats(node, more), second * 1_000);
      }
      for (let k = 0; k < 10; k++) {
        const placed = p.place({ uid: `m${k % 3}`, sid: 's', from: 'a' }, second * 1_000 + k * 100);
        if (placed.kind === 'placed') nodes.push(placed.node);
      }
    }
    expect(counted(nodes)).toEqual(new Map([['a', 200]]));
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
    hearing(p, 0, 3_000);
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
    for (const seq of [1, 2, 3]) p.observe(stats('a', { boot: 'b2', seq }), seq * 1_000);
    expect(p.snapshot(3_000).nodes[0]?.reserved).toBe(0);
  });

  it('ignores a late report of the process before', () => {
    const p = placer();
    p.observe(stats('a', { connections: 5 }), 0);
    for (const seq of [1, 2, 3]) p.observe(stats('a', { boot: 'b2', connections: 1, seq }), seq * 1_000);
    p.observe(stats('a', { seq: 2, connections: 6 }), 3_100);
    expect(p.snapshot(3_100).nodes[0]?.connections).toBe(1);
  });

  it('places as the balancer plans, once that is known', () => {
    const nodesOf = (p: ReturnType<typeof placer>) => {
      for (const node of ['a', 'b', 'c']) p.observe(stats(node), 0);
      return burst(p, 50, 10);
    };
    const ring = nodesOf(placer({ rules: { strategy: 'consistent-hash' } }));
    const following = placer({ seed: 9 });
    expect([following.follow('consistent-hash'), following.follow('consistent-hash')]).toEqual([true, false]);
    expect(nodesOf(following)).toEqual(ring);
    expect(following.snapshot(10).strategy).toBe('consistent-hash');
  });

  it('counts sessions as the balancer does, and keeps capacity for connections', () => {
    const p = placer();
    p.observe(stats('a', { connections: 90, sessions: 10, capacity: 100 }), 0);
    p.observe(stats('b', { connections: 20, sessions: 20, capacity: 100 }), 0);
    expect(counted(burst(p, 30, 10))).toEqual(
      new Map([
        ['a', 10],
        ['b', 20],
      ]),
    );
  });
});
