import { describe, expect, it } from 'vitest';
import { burst, placer, stats } from '../../testing/placing.js';

describe('reservations', () => {
  it('stand until the handshake is reported, even where as many leave as come', () => {
    const p = placer();
    p.observe(stats('a', { connections: 100 }), 0);
    burst(p, 10, 10);
    p.observe(stats('a', { seq: 2, at: 1_000, connections: 100 }), 1_000);
    expect(p.snapshot(1_000).nodes[0]?.reserved).toBe(10);
    p.observe(stats('a', { seq: 3, at: 2_000, connections: 100, handshakesPerSecond: 10 }), 2_000);
    expect(p.snapshot(2_000).nodes[0]?.reserved).toBe(0);
  });

  it('count a session once however often it asks', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.observe(stats('b'), 0);
    for (let i = 0; i < 20; i++) p.place({ uid: 'u', sid: 's' }, i);
    expect(p.snapshot(30).nodes.reduce((sum, n) => sum + n.reserved, 0)).toBe(1);
  });

  it('of one user are eight at most, the newest, so that tickets that nobody uses fill no edge', () => {
    const p = placer();
    p.observe(stats('a', { capacity: 100 }), 0);
    for (let i = 0; i < 300; i++)
      expect(p.place({ uid: 'mallory', sid: `s${i}` }, 10)).toMatchObject({ kind: 'placed' });
    expect(p.snapshot(10).nodes[0]?.reserved).toBe(8);
    p.observe(stats('a', { seq: 2, at: 1_000, handshakesPerSecond: 8, capacity: 100 }), 1_000);
    expect(p.snapshot(1_000).nodes[0]?.reserved).toBe(0);
    p.place({ uid: 'mallory', sid: 's300' }, 1_010);
    expect(p.snapshot(1_010).nodes[0]?.reserved).toBe(1);
  });

  it('go when the ticket has expired', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.place({ uid: 'u', sid: 's' }, 10);
    for (let second = 1; second <= 30; second++) p.observe(stats('a', { seq: 1 + second }), second * 1_000);
    p.place({ uid: 'v', sid: 's' }, 30_010);
    expect(p.snapshot(30_010).nodes[0]?.reserved).toBe(1);
  });

  it('are not retired by handshakes that came before them', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    p.observe(stats('a', { seq: 2, at: 1_000, connections: 500, handshakesPerSecond: 500 }), 1_000);
    burst(p, 10, 1_010);
    p.observe(stats('a', { seq: 3, at: 2_000, connections: 500 }), 2_000);
    expect(p.snapshot(2_000).nodes[0]?.reserved).toBe(10);
  });

  it('are retired once where a smoothed rate reports a growth late', () => {
    const p = placer();
    p.observe(stats('a'), 0);
    burst(p, 100, 10);
    p.observe(stats('a', { seq: 2, at: 1_000, connections: 100, handshakesPerSecond: 50 }), 1_000);
    burst(p, 40, 1_010, 'v');
    p.observe(stats('a', { seq: 3, at: 2_000, connections: 100, handshakesPerSecond: 50 }), 2_000);
    expect(p.snapshot(2_000).nodes[0]?.reserved).toBeGreaterThanOrEqual(39);
  });
});
