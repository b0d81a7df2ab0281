import { describe, expect, it } from 'vitest';
import { SmallCluster } from '../../../testing/small-cluster.js';

const low = { part: 0.9, of: 'process', isLow: true } as const;
const short = { part: 0.97, of: 'process', isLow: true, isShort: true } as const;

/** What an edge says whose memory is low, or short. */
const says = (memory: typeof low | typeof short) => ({ state: 'cordoned' as const, memory });

describe('a node that is low on memory', () => {
  it('is given nothing, gives nothing, and is no failure', () => {
    const c = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300 } });
    c.play(5);
    Object.assign(c.node('b').stats, says(low));
    c.add('c', {});
    c.play(20);
    expect(c.counts()).toEqual({ a: 150, b: 300, c: 150 });
    c.node('a').sessions += 200;
    c.play(20);
    expect(c.counts()).toEqual({ a: 250, b: 300, c: 250 });
    expect(c.balancer.view.get('b', c.nowMs)?.phase).toBe('cordoned');
  });
});

describe('a node that is short of memory', () => {
  it('is relieved of a tenth of its sessions at a time, at most every ten seconds, until it has enough', () => {
    const c = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300 }, c: { sessions: 300 } });
    c.play(5);
    Object.assign(c.node('b').stats, says(short));
    c.play(9);
    expect(c.counts()).toEqual({ a: 315, b: 270, c: 315 });
    expect(c.logs).toContainEqual(
      expect.objectContaining({
        event: 'plan started',
        fields: expect.objectContaining({
          kind: 'rebalance',
          why: 'relieving b, short of memory',
          total: 30,
        }),
      }),
    );
    c.play(10);
    expect(c.node('b').sessions).toBe(243);
    Object.assign(c.node('b').stats, says(low));
    c.play(60);
    expect(c.node('b').sessions).toBe(243);
  });

  it('does not get back what it gave away until ten minutes after', () => {
    const c = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300 } });
    c.play(5);
    Object.assign(c.node('b').stats, says(short));
    c.play(8);
    expect(c.counts()).toEqual({ a: 330, b: 270 });
    Object.assign(c.node('b').stats, { state: 'active', memory: { part: 0.6, of: 'process' } });
    c.play(590);
    expect(c.counts()).toEqual({ a: 330, b: 270 });
    expect(c.balancer.why).toContain('b is left as it is for 10 min: its memory was low');
    c.play(30);
    expect(c.counts()).toEqual({ a: 300, b: 300 });
  });

  it('keeps what it has where no other has room or memory, and where an operator has paused the balancer', () => {
    const c = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300 } });
    c.play(5);
    for (const name of ['a', 'b']) Object.assign(c.node(name).stats, says(short));
    c.play(60);
    expect(c.plans).toBe(0);
    expect(c.balancer.why).toBe('no node can take sessions of a, b, short of memory');
    // One that was low a moment ago is no better.
    Object.assign(c.node('a').stats, { state: 'active', memory: { part: 0.7, of: 'heap' } });
    c.play(60);
    expect(c.plans).toBe(0);

    const full = new SmallCluster({
      a: { sessions: 300, stats: { capacity: 300 } },
      b: { sessions: 300, stats: says(short) },
    });
    full.play(30);
    expect(full.plans).toBe(0);
    expect(full.balancer.why).toBe('no node has room for sessions of b, short of memory');

    const paused = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300, stats: says(short) } });
    paused.balancer.automatic.isPaused = true;
    paused.play(30);
    expect(paused.plans).toBe(0);
    paused.balancer.automatic.resume();
    paused.play(10);
    expect(paused.node('b').sessions).toBeLessThan(300);
  });

  it('goes on giving in small numbers to the last, but for what the front keeps there', () => {
    const c = new SmallCluster({
      a: { sessions: 10 },
      b: { sessions: 12, stuck: 3, pinned: 3, stats: says(short) },
    });
    c.play(60);
    expect(c.node('b').sessions).toBe(3);
  });

  it('is a new node once it has been started anew', () => {
    const c = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300, stats: says(low) } });
    c.play(10);
    c.node('b').sessions = 0;
    c.restart('b');
    delete c.node('b').stats.memory;
    c.play(30);
    expect(c.counts()).toEqual({ a: 150, b: 150 });
  });
});
