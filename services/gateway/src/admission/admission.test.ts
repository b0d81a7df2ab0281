import { TokenBucket } from '@evenkeel/pace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { burst, counted, maxOverMean, placer, seeded, stats } from '../../testing/placing.js';

describe('admission', () => {
  it('never sends an edge more than its ceiling in any second, whatever the crowd', () => {
    const p = placer({ base: 500 });
    p.observe(stats('a'), 0);
    p.observe(stats('b'), 0);
    const sent = new Map<string, number[]>();
    for (let nowMs = 0; nowMs < 4_000; nowMs += 1) {
      for (let i = 0; i < 5; i++) {
        const placed = p.place({ uid: `u${nowMs}`, sid: `s${i}` }, nowMs);
        if (placed.kind === 'placed') sent.set(placed.node, [...(sent.get(placed.node) ?? []), nowMs]);
      }
    }
    expect(sent.size).toBe(2);
    for (const times of sent.values()) {
      for (const from of times) {
        expect(times.filter((t) => t >= from && t < from + 1_000).length).toBeLessThanOrEqual(500);
      }
      expect(times.length).toBeGreaterThan(4 * 440);
    }
  });

  it('tells a herd different seconds, so that it comes back as a queue', () => {
    const p = placer({ base: 500 });
    for (const node of ['a', 'b', 'c', 'd']) p.observe(stats(node), 0);
    const perSecond = counted(
      Array.from({ length: 20_000 }, (_, i) => {
        const placed = p.place({ uid: `u${i}`, sid: 's' }, 100);
        return placed.kind === 'placed' ? 'now' : String(placed.retryAfterSeconds);
      }),
    );
    const waits = [...perSecond].filter(([second]) => second !== 'now').map(([, n]) => n);
    expect(Math.max(...waits)).toBeLessThanOrEqual(4 * 500);
    expect(waits.length).toBeGreaterThanOrEqual(10);
    expect(waits.length).toBeLessThanOrEqual(13);
  });

  it('brings a herd of 5,000 in evenly, no edge over its ceiling', () => {
    const p = placer({ base: 500, newSessionsPerSecond: 100_000 });
    const edges = ['a', 'b', 'c', 'd'].map((node) => ({ node, connections: 0, perSecond: 0 }));
    const random = seeded(3);
    let waiting = Array.from({ length: 5_000 }, (_, i) => ({ i, atMs: 1_000 }));
    let second = 0;
    for (; waiting.length > 0 && second < 20; second++) {
      for (const e of edges) {
        p.observe(
          stats(e.node, {
            seq: second + 1,
            at: second * 1_000,
            connections: e.connections,
            handshakesPerSecond: e.perSecond,
            handshakeP99Ms: 100,
          }),
          second * 1_000,
        );
        expect(e.perSecond).toBeLessThanOrEqual(500);
        e.perSecond = 0;
      }
      const due = waiting.filter((w) => w.atMs < (second + 1) * 1_000).sort((a, b) => a.atMs - b.atMs);
      const later = waiting.filter((w) => w.atMs >= (second + 1) * 1_000);
      for (const client of due) {
        const placed = p.place({ uid: `u${client.i}`, sid: 's' }, client.atMs);
        if (placed.kind === 'refused') {
          const atMs = client.atMs + placed.retryAfterSeconds * 1_000 + Math.floor(random() * 1_000);
          later.push({ i: client.i, atMs });
          continue;
        }
        const edge = edges.find((e) => e.node === placed.node);
        if (edge === undefined) continue;
        edge.connections += 1;
        edge.perSecond += 1;
      }
      waiting = later;
    }
    expect(waiting).toEqual([]);
    expect(maxOverMean(edges.map((e) => e.connections))).toBeLessThanOrEqual(1.05);
    // 5,000 at 4 × 500 a second need 2.5 s; whole seconds cost some.
    expect(second).toBeLessThanOrEqual(8);
  });

  it('limits new sessions over all edges, and not those that come back', () => {
    const p = placer({ newSessionsPerSecond: 40 });
    p.observe(stats('a'), 0);
    const fresh = Array.from({ length: 100 }, (_, i) => p.place({ uid: `u${i}`, sid: undefined }, 10));
    expect(fresh.filter((f) => f.kind === 'placed').length).toBeLessThanOrEqual(40);
    expect(fresh.some((f) => f.kind === 'refused')).toBe(true);
    expect(burst(p, 100, 20)).toHaveLength(100);
  });

  it('sends others past an edge that is far slower than they are', () => {
    const p = placer({ base: 100 });
    for (let i = 0; i < 12; i++) {
      p.observe(stats('slow', { seq: i + 1, handshakesPerSecond: 5, handshakeP99Ms: 2_000 }), i * 2_000);
      p.observe(stats('good', { seq: i + 1, connections: 500 }), i * 2_000);
    }
    const nodes = Array.from({ length: 2_000 }, (_, i) => p.place({ uid: `u${i}`, sid: 's' }, 22_000 + i));
    const good = nodes.filter((n) => n.kind === 'placed' && n.node === 'good').length;
    expect(good).toBeGreaterThan(150);
  });

  it('answers when to come back while there is no edge', () => {
    const placed = placer().place({ uid: 'u', sid: undefined }, 0);
    expect(placed).toEqual({ kind: 'refused', reason: 'none', retryAfterSeconds: 1 });
  });

  it("turns nobody away for a user's flood: whoever comes once in a second has a slot while half of the rate is asked for", () => {
    const event = fc.record({ isFlood: fc.boolean(), afterMs: fc.nat({ max: 5 }) });
    fc.assert(
      fc.property(fc.array(event, { minLength: 50, maxLength: 600 }), (events) => {
        const p = placer({ base: 400, newSessionsPerSecond: 100 });
        p.observe(stats('a'), 0);
        const others = new TokenBucket(50, 4, 0);
        let nowMs = 0;
        for (const [n, { isFlood, afterMs }] of events.entries()) {
          nowMs += afterMs;
          if (isFlood) {
            for (let more = 0; more < 5; more += 1) p.place({ uid: 'mallory', sid: undefined }, nowMs);
          } else if (others.tryTake(nowMs)) {
            expect(p.place({ uid: `u${n}`, sid: undefined }, nowMs)).toMatchObject({ kind: 'placed' });
          }
        }
      }),
    );
  });
});
