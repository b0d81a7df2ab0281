import { describe, expect, it } from 'vitest';
import { statsOf } from '../../../testing/stats.js';
import { Flapping } from './flapping.js';
import { ClusterState, takersAmong } from './state.js';

const phase = (view: ClusterState, nowMs: number) => view.get('a', nowMs)?.phase;

describe('the view of the cluster', () => {
  it('has a node join with its first report and be active with its second', () => {
    const view = new ClusterState();
    expect(view.observe(statsOf('a', 1), 1000)).toBe('new');
    expect(phase(view, 1000)).toBe('joining');
    view.observe(statsOf('a', 2), 2000);
    expect(phase(view, 2000)).toBe('active');
  });

  it('suspects a node after 3 s of silence, takes it for gone after 15 s and forgets it after 120 s', () => {
    const view = new ClusterState();
    view.observe(statsOf('a', 1), 0);
    view.observe(statsOf('a', 2), 0);
    const at = (nowMs: number) => {
      for (; heard * 1000 < nowMs; heard++) view.observe(statsOf('other', heard), heard * 1000);
      return phase(view, nowMs);
    };
    let heard = 1;
    expect([2999, 3000, 15_000].map(at)).toEqual(['active', 'suspect', 'gone']);
    at(120_000);
    expect(view.nodes(119_999)).toHaveLength(2);
    expect(view.nodes(120_000)).toHaveLength(1);
    expect(view.size).toBe(1);
  });

  it('keeps its last view for a minute when nobody at all is heard, and holds the silence against nobody', () => {
    const view = new ClusterState();
    for (const node of ['a', 'b']) for (const seq of [1, 2]) view.observe(statsOf(node, seq), seq * 1000);
    const phases = (nowMs: number) => view.nodes(nowMs).map((n) => n.phase);
    expect(view.silentMs(3000)).toBeUndefined();
    expect(view.silentMs(22_000)).toBe(20_000);
    expect(phases(60_000)).toEqual(['active', 'active']);
    expect(phases(66_000)).toEqual(['suspect', 'suspect']);
    expect(view.observe(statsOf('a', 3), 40_000)).toBe('none');
    expect(phases(40_900)).toEqual(['active', 'active']);
    expect(view.observe(statsOf('b', 3), 41_000)).toBe('none');
    expect(view.get('b', 41_000)).toMatchObject({ seenAtMs: 41_000 });
  });

  it('takes a silent node that was draining for gone at once: it said that it would leave', () => {
    const view = new ClusterState();
    view.observe(statsOf('a', 1, { state: 'draining' }), 0);
    expect(phase(view, 2999)).toBe('draining');
    expect(phase(view, 3000)).toBe('gone');
  });

  it('ignores reports that come late, of the same boot or of the one before', () => {
    const view = new ClusterState();
    view.observe(statsOf('a', 5, { sessions: 5 }), 0);
    expect(view.observe(statsOf('a', 4, { sessions: 4 }), 1)).toBe('ignored');
    for (const nowMs of [2, 1002]) view.observe(statsOf('a', 1, { boot: 'a-2', at: 9000 }), nowMs);
    expect(view.observe(statsOf('a', 2, { boot: 'a-2', at: 9000 }), 2002)).toBe('reboot');
    expect(view.observe(statsOf('a', 6, { sessions: 6, at: 9500 }), 2003)).toBe('ignored');
    expect(view.get('a', 2003)?.stats.boot).toBe('a-2');
  });

  it('gives sessions to a node whose clock is off only where there is no other', () => {
    const view = new ClusterState();
    for (const seq of [1, 2])
      for (const [node, aheadMs] of [
        ['a', 0],
        ['b', 40_000],
        ['c', 0],
      ] as const)
        view.observe(statsOf(node, seq, { at: seq * 1_000 + aheadMs }), seq * 1_000);
    const nodes = view.nodes(2_000);
    expect(nodes.map((n) => n.clockAheadMs)).toEqual([0, 40_000, 0]);
    expect(takersAmong(nodes).map((n) => n.node)).toEqual(['a', 'c']);
    expect(takersAmong(nodes.filter((n) => n.node === 'b')).map((n) => n.node)).toEqual(['b']);
  });

  it('takes no more nodes than its limit', () => {
    const view = new ClusterState(1);
    view.observe(statsOf('a', 1), 0);
    expect(view.observe(statsOf('b', 1), 0)).toBe('ignored');
    expect(view.size).toBe(1);
  });

  it('averages traffic since the averages were started anew', () => {
    const view = new ClusterState();
    view.observe(statsOf('a', 1, { deliveredPerSecond: 1000 }), 0);
    view.observe(statsOf('a', 2, { deliveredPerSecond: 0 }), 1000);
    expect(view.get('a', 1000)?.traffic.events).toBe(500);
    view.restartAverages();
    view.observe(statsOf('a', 3, { deliveredPerSecond: 70 }), 2000);
    expect(view.get('a', 2000)?.traffic.events).toBe(70);
  });
});

describe('damping', () => {
  it('leaves a node alone after its third restart within a minute, until it has been calm for long', () => {
    const flapping = new Flapping();
    flapping.strike('a', 0);
    flapping.strike('a', 5000);
    expect(flapping.held(5000).has('a')).toBe(false);
    flapping.strike('a', 10_000);
    expect(flapping.held(10_000).has('a')).toBe(true);
    expect(flapping.held(60_000).has('a')).toBe(true);
    expect(flapping.held(110_000).has('a')).toBe(false);
  });

  it('does not mind restarts that are minutes apart', () => {
    const flapping = new Flapping();
    for (let i = 0; i < 20; i++) {
      flapping.strike('a', i * 180_000);
      expect(flapping.held(i * 180_000).size).toBe(0);
    }
  });
});
