import { describe, expect, it } from 'vitest';
import { SmallCluster } from '../../testing/small-cluster.js';

describe('after a plan, or a silence', () => {
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

  it('does not chase a load that swings from one node to the other and back', () => {
    const swing = (phase: number) => (nowMs: number) =>
      1 + 0.25 * Math.sin((2 * Math.PI * nowMs) / 100_000 + phase);
    const nodes = {
      a: { sessions: 1000, eventsPerSession: swing(0) },
      b: { sessions: 1000, eventsPerSession: swing(Math.PI) },
    };
    const cluster = new SmallCluster(nodes, { load: 'events' });
    cluster.play(1200);
    expect(cluster.counts()).toEqual({ a: 1000, b: 1000 });
  });

  it('levels a load that is higher on one node for good', () => {
    const nodes = {
      a: { sessions: 1200, eventsPerSession: () => 1 },
      b: { sessions: 800, eventsPerSession: () => 1 },
    };
    const cluster = new SmallCluster(nodes, { load: 'events' });
    cluster.play(90);
    expect(cluster.plans).toBe(1);
    expect(cluster.node('a').sessions).toBeLessThanOrEqual(1015);
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
