import { describe, expect, it } from 'vitest';
import { SmallCluster } from '../../testing/small-cluster.js';

const shapes = {
  sine: (turn: number) => Math.sin(2 * Math.PI * turn),
  square: (turn: number) => (turn % 1 < 0.5 ? 1 : -1),
};

/** Twenty minutes of events that swing by a quarter from node to node, and are level on average. */
function playSwing(shape: keyof typeof shapes, seconds: number, count: number) {
  const rateOf = (i: number) => (nowMs: number) =>
    1 + 0.25 * shapes[shape](nowMs / (seconds * 1000) + i / count);
  const numbers = Array.from({ length: count }, (_, i) => i);
  const nodes = Object.fromEntries(
    numbers.map((i) => [`n${i}`, { sessions: 1000, eventsPerSession: rateOf(i) }]),
  );
  const cluster = new SmallCluster(nodes, { load: 'events' });
  const overMean = (sessions: (i: number) => number) => {
    const loads = numbers.map((i) => sessions(i) * rateOf(i)(cluster.nowMs));
    return (Math.max(...loads) * count) / loads.reduce((sum, each) => sum + each, 0);
  };
  let [worst, still] = [1, 1];
  for (let second = 0; second < 1200; second++) {
    cluster.play(1);
    worst = Math.max(
      worst,
      overMean((i) => cluster.node(`n${i}`).sessions),
    );
    still = Math.max(
      still,
      overMean(() => 1000),
    );
  }
  const moved = cluster.balancer.history.reduce((sum, { done }) => sum + done, 0);
  return { movedPart: moved / (1000 * count), worst, still, plans: cluster.plans };
}

describe('after a plan, or a silence', () => {
  it('gives no node of a ring more than it has room for, and the rest once it has room', () => {
    const nodes = { a: { sessions: 300, ringShare: 150 }, b: { sessions: 300, ringShare: 150 } };
    const cluster = new SmallCluster(nodes, { strategy: 'consistent-hash' });
    cluster.play(10);
    cluster.add('c', { ringShare: 300, stats: { capacity: 100 } });
    cluster.play(120);
    expect(cluster.node('c').sessions).toBeGreaterThanOrEqual(98);
    expect(cluster.node('c').sessions).toBeLessThanOrEqual(100);
    const { plans } = cluster;
    cluster.play(120);
    expect(cluster.plans).toBeLessThanOrEqual(plans + 2);
    cluster.node('c').stats.capacity = 1000;
    cluster.play(120);
    expect(cluster.node('c').sessions).toBeGreaterThan(290);
  });

  it('levels the others while one node starts anew over and over', () => {
    const cluster = new SmallCluster({ a: { sessions: 300 }, b: { sessions: 300 }, c: {} });
    cluster.play(4);
    cluster.node('a').sessions = 600;
    for (let i = 0; i < 60; i++) {
      cluster.restart('c');
      cluster.play(2 + (i % 4));
    }
    expect(cluster.node('a').sessions).toBeLessThanOrEqual(455);
  });

  it('looks again for those of a ring that a plan has not moved', () => {
    const nodes = { a: { sessions: 300 }, b: { sessions: 300 } };
    const cluster = new SmallCluster(nodes, { strategy: 'consistent-hash' });
    cluster.play(10);
    cluster.add('c', { failing: 0.5, ringShare: 200 });
    cluster.play(20);
    expect(cluster.node('c').sessions).toBeLessThan(190);
    cluster.node('c').failing = 0;
    cluster.play(300);
    expect(cluster.node('c').sessions).toBeGreaterThan(190);
    const { plans } = cluster;
    cluster.play(300);
    expect(cluster.plans).toBe(plans);
  });

  it.each([
    ['sine', 20],
    ['sine', 60],
    ['sine', 100],
    ['sine', 300],
    ['sine', 400],
    ['square', 60],
    ['square', 100],
    ['square', 300],
  ] as const)(
    'does not chase a load that swings in a %s of %i s, and is never worse than doing nothing',
    (shape, seconds) => {
      for (const nodes of [2, 5]) {
        const { movedPart, worst, still } = playSwing(shape, seconds, nodes);
        expect(movedPart).toBeLessThan(0.1);
        expect(worst).toBeLessThanOrEqual(still + 0.02);
      }
    },
  );

  it('follows a swing that is slower than it can tell no more than once in twenty minutes', () => {
    expect(playSwing('square', 600, 2).plans).toBeLessThanOrEqual(1);
  });

  it('levels a load that is higher on one node for good, and one that has risen', () => {
    for (const risesAtMs of [0, 1_600_000]) {
      const nodes = {
        a: { sessions: 1200, eventsPerSession: (nowMs: number) => (nowMs >= risesAtMs ? 1 : 1 / 1.2) },
        b: { sessions: 1000, eventsPerSession: () => 1 },
      };
      const cluster = new SmallCluster(nodes, { load: 'events' });
      cluster.play(risesAtMs === 0 ? 420 : 1000);
      expect(cluster.plans).toBe(1);
      expect(cluster.node('a').sessions).toBeLessThanOrEqual(1150);
    }
  });

  it('levels a load at once where a node has come', () => {
    const busy = { sessions: 1000, eventsPerSession: () => 1 };
    const cluster = new SmallCluster({ a: busy, b: busy }, { load: 'events' });
    cluster.play(10);
    cluster.add('c', { eventsPerSession: () => 1 });
    cluster.play(90);
    expect(cluster.node('c').sessions).toBeGreaterThan(600);
  });

  it('holds it against no node that all of them were silent at once', () => {
    const cluster = new SmallCluster({ a: { sessions: 100 }, b: { sessions: 100 } });
    cluster.play(8);
    for (let i = 0; i < 3; i++) {
      cluster.isSilent = true;
      cluster.play(4);
      cluster.isSilent = false;
      cluster.play(6);
    }
    cluster.node('a').sessions = 200;
    cluster.play(20);
    expect(cluster.counts()).toEqual({ a: 150, b: 150 });
  });
});
