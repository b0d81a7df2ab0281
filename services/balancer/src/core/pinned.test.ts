import { describe, expect, it } from 'vitest';
import { SmallCluster } from '../../testing/small-cluster.js';

const closings = (cluster: SmallCluster) =>
  cluster.sent.flatMap(({ node, command }) =>
    command.command === 'reconnect' && command.pinned === 'close' ? [{ node, count: command.count }] : [],
  );

describe('behind a front that pins', () => {
  it('levels everybody else, finds out whom it cannot move, and then rests', () => {
    const cluster = new SmallCluster({
      a: { sessions: 160, stuck: 20 },
      b: { sessions: 240, stuck: 200 },
      c: { sessions: 60 },
    });
    cluster.play(120);
    expect(cluster.counts()).toEqual({ a: 130, b: 200, c: 130 });
    const plans = cluster.plans;
    expect(plans).toBeLessThanOrEqual(12);
    cluster.play(300);
    expect(cluster.plans).toBe(plans);
    expect(cluster.balancer.history.every(({ state }) => state === 'done')).toBe(true);
    expect(cluster.balancer.history.at(0)?.outcome).toMatch(/pinned by the front/);
  });

  it('makes no plan where all are pinned', () => {
    const cluster = new SmallCluster({ a: { sessions: 90, stuck: 90, pinned: 90 }, b: {} });
    cluster.play(60);
    expect(cluster.plans).toBe(0);
    expect(cluster.counts()).toEqual({ a: 90, b: 0 });
  });

  it('drains everybody else, and says that it has ended and who is left', () => {
    const nodes = { a: { sessions: 16, stuck: 6, pinned: 6 }, b: {}, c: {} };
    const cluster = new SmallCluster(nodes, { mode: 'manual' });
    cluster.play(4);
    cluster.drain('a');
    cluster.play(30);
    expect(cluster.node('a').sessions).toBe(6);
    expect(cluster.node('b').sessions + cluster.node('c').sessions).toBe(10);
    expect(cluster.drainOf('a')).toEqual({ by: 'ann', state: 'stayed', why: '6 pinned by the front' });
    expect(cluster.balancer.why).toContain('6 pinned by the front are left on a');
    expect(cluster.plans).toBe(1);
    expect(cluster.balancer.history.at(-1)).toMatchObject({
      by: 'ann',
      state: 'done',
      pinned: 6,
      outcome: '10 moved, 6 pinned by the front',
      why: 'draining a, asked for by ann',
    });
  });

  it('tries those who are pinned again when a drain begins: it may be another front by now', () => {
    const nodes = { a: { sessions: 16, stuck: 0, pinned: 6 }, b: {} };
    const cluster = new SmallCluster(nodes, { mode: 'manual' });
    cluster.play(4);
    cluster.drain('a');
    expect(cluster.drainOf('a')?.state).toBe('under-way');
    cluster.play(10);
    expect(cluster.counts()).toEqual({ a: 0, b: 16 });
    expect(cluster.drainOf('a')?.state).toBe('empty');
  });

  it('ends the drain of an edge that shuts down, and lets it go', () => {
    const cluster = new SmallCluster({ a: { sessions: 16, stuck: 6 }, b: {} });
    cluster.play(4);
    cluster.node('a').stats.state = 'draining';
    cluster.play(30);
    expect(cluster.counts()).toEqual({ a: 6, b: 10 });
    expect(cluster.drainOf('a')).toEqual({ by: 'auto', state: 'stayed', why: '6 pinned by the front' });
    const sent = cluster.sent.length;
    cluster.play(10);
    expect(cluster.sent).toHaveLength(sent);
  });

  it('closes what is pinned where that is asked for: when nobody else is left, no faster than asked, and once', () => {
    const cluster = new SmallCluster({ a: { sessions: 40, stuck: 25 }, b: {} });
    cluster.play(4);
    cluster.drain('a', { closesPerSecond: 10 });
    cluster.play(5);
    cluster.play(30);
    expect(cluster.counts()).toEqual({ a: 0, b: 15 });
    expect(closings(cluster).every(({ node, count }) => node === 'a' && (count ?? 0) <= 10)).toBe(true);
    expect(closings(cluster).reduce((sum, { count }) => sum + (count ?? 0), 0)).toBe(25);
    expect(cluster.balancer.history.at(-1)?.outcome).toBe('25 pinned by the front were closed');
    expect(cluster.balancer.history.at(-1)?.moved).toEqual([]);
    // The front has brought some back.
    Object.assign(cluster.node('a'), { sessions: 5, stuck: 5, pinned: 5 });
    cluster.play(30);
    expect(cluster.counts()).toEqual({ a: 5, b: 15 });
  });

  it('takes it for no fault of the target that clients are brought back', () => {
    const cluster = new SmallCluster({ a: { sessions: 120, stuck: 60 }, b: {} });
    cluster.play(60);
    expect(cluster.counts()).toEqual({ a: 60, b: 60 });
    expect(cluster.balancer.history.some(({ outcome }) => outcome.includes('fails'))).toBe(false);
  });

  it('tries ever less often what an older edge reports as failed alone', () => {
    const cluster = new SmallCluster({ a: { sessions: 100 }, b: { failing: 1 } });
    cluster.play(600);
    expect(cluster.plans).toBeLessThanOrEqual(16);
    cluster.node('b').failing = 0;
    cluster.play(80);
    expect(cluster.counts()).toEqual({ a: 50, b: 50 });
  });

  it('levels a load among those who can be moved', () => {
    const stats = { deliveredPerSecond: 1000 };
    const cluster = new SmallCluster(
      { a: { sessions: 100, stuck: 100, pinned: 100, stats }, b: { sessions: 1 }, c: { sessions: 1 } },
      { load: 'events' },
    );
    cluster.play(120);
    expect(cluster.plans).toBe(0);
  });

  it('asks for no more than can be moved from each node by a ring', () => {
    const cluster = new SmallCluster(
      { a: { sessions: 100, stuck: 90, pinned: 90 }, b: { sessions: 10 } },
      { strategy: 'consistent-hash' },
    );
    cluster.play(30);
    const counts = cluster.balancer.history.map(({ total }) => total);
    expect(cluster.node('a').sessions).toBeGreaterThanOrEqual(90);
    expect(Math.max(0, ...counts)).toBeLessThanOrEqual(20);
  });
});
