import type { NodeStats } from '@evenkeel/protocol';
import { statsOf as idleStatsOf } from '@evenkeel/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeReports } from './reports.js';

const statsOf = (node: string, seq: number, more: Partial<NodeStats> = {}): NodeStats =>
  idleStatsOf(node, { seq, at: seq * 1_000, ...more });

const reportsOf = (maxNodes = 10) => new NodeReports({ maxNodes, dropAt: 'gone' });

describe('NodeReports', () => {
  it('tells the first report of a node, the next, and the first of another process', () => {
    const reports = reportsOf();
    expect(reports.observe(statsOf('a', 1), 0).kind).toBe('first');
    expect(reports.observe(statsOf('a', 2), 1_000).kind).toBe('next');
    const restart = reports.observe(statsOf('a', 1, { boot: 'b2', at: 5_000 }), 4_000);
    expect(restart).toMatchObject({ kind: 'restarted', previous: { stats: { seq: 2 }, reports: 2 } });
    expect(reports.get('a')).toMatchObject({ seenAtMs: 4_000, reports: 1 });
  });

  it('takes another process for the node once that one has reported for a while and the present one has not', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 2), 0);
    const kindAt = (seq: number, nowMs: number) =>
      reports.observe(statsOf('a', seq, { boot: 'b2', at: 9_000 + nowMs }), nowMs).kind;
    expect([kindAt(1, 500), kindAt(2, 1_500), kindAt(3, 2_500)]).toEqual(['ignored', 'ignored', 'restarted']);
  });

  it('lets no foreign report replace a node that goes on reporting, however often one comes', () => {
    const reports = reportsOf();
    for (let second = 0; second < 60; second++) {
      const nowMs = second * 1_000;
      expect(reports.observe(statsOf('a', second + 1), nowMs).kind).not.toBe('ignored');
      const foreign = statsOf('a', second + 1, { boot: 'evil', url: 'ws://evil/', at: 1e12 + nowMs });
      expect(reports.observe(foreign, nowMs + 100).kind).toBe('ignored');
      // In the name of the present process, to make all of its own reports look old.
      expect(reports.observe(statsOf('a', 1e9), nowMs + 200).kind).toBe('ignored');
    }
    expect(reports.get('a')?.stats).toMatchObject({ boot: 'b1', seq: 60 });
  });

  it('takes the next process at once where the last one was silent while nobody at all was heard', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 1), 0);
    expect(reports.observe(statsOf('a', 1, { boot: 'b2', at: 9_000 }), 500, 8_500).kind).toBe('restarted');
  });

  it('takes the next process at once where the last one has said that it leaves', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 1, { state: 'draining' }), 0);
    expect(reports.observe(statsOf('a', 1, { boot: 'b2', at: 2_000 }), 800).kind).toBe('restarted');
  });

  it('ignores what arrives out of order', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 5), 0);
    expect(reports.observe(statsOf('a', 5), 1).kind).toBe('ignored');
    expect(reports.observe(statsOf('a', 4), 1).kind).toBe('ignored');
    expect(reports.get('a')?.stats.seq).toBe(5);
  });

  it('ignores a process that has been replaced, and one older by its clock, while the present one is heard', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 1, { boot: 'old', at: 1_000 }), 0);
    reports.observe(statsOf('a', 1, { boot: 'new', at: 5_000 }), 4_000);
    for (let nowMs = 4_500; nowMs < 6_500; nowMs += 500) {
      expect(reports.observe(statsOf('a', 2, { boot: 'old', at: 5_500 }), nowMs).kind).toBe('ignored');
      expect(reports.observe(statsOf('a', 9, { boot: 'older', at: 500 }), nowMs).kind).toBe('ignored');
    }
    expect(reports.observe(statsOf('a', 3, { boot: 'old', at: 9_000 }), 7_000).kind).toBe('restarted');
  });

  it('settles on one of two processes that use the same name', () => {
    const reports = reportsOf();
    const boots = new Set<string | undefined>();
    for (let i = 1; i < 40; i++) {
      reports.observe(statsOf('a', i, { boot: i % 2 === 0 ? 'x' : 'y', at: i * 500 }), i * 500);
      if (i > 2) boots.add(reports.get('a')?.stats.boot);
    }
    expect(boots.size).toBe(1);
  });

  it('keeps since when a node has been in its state', () => {
    const reports = reportsOf();
    reports.observe(statsOf('a', 1), 0);
    reports.observe(statsOf('a', 2, { state: 'cordoned' }), 1_000);
    reports.observe(statsOf('a', 3, { state: 'cordoned' }), 2_000);
    expect(reports.get('a')?.stateSinceMs).toBe(1_000);
  });

  it('takes no more nodes than its limit, and has room again once one is gone', () => {
    const reports = reportsOf(1);
    reports.observe(statsOf('a', 1), 0);
    expect(reports.observe(statsOf('b', 1), 1_000).kind).toBe('ignored');
    expect(reports.prune(14_999)).toEqual([]);
    expect(reports.prune(15_000)).toEqual(['a']);
    expect(reports.observe(statsOf('b', 2), 15_000).kind).toBe('first');
    expect(reports.names).toEqual(['b']);
  });

  it('shows a report that is never older than one it has shown, whatever comes in whatever order', () => {
    const message = fc.record({
      seq: fc.integer({ min: 1, max: 9 }),
      boot: fc.constantFrom('x', 'y', 'z'),
      afterMs: fc.nat(2_000),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
        const reports = reportsOf();
        let nowMs = 0;
        for (const { seq, boot, afterMs } of messages) {
          nowMs += afterMs;
          const before = reports.get('a');
          const { kind } = reports.observe(statsOf('a', seq, { boot, at: seq * 1_000 }), nowMs);
          const after = reports.get('a');
          if (kind === 'ignored') expect(after).toBe(before);
          else expect(after).toMatchObject({ seenAtMs: nowMs, stats: { seq, boot } });
          if (kind === 'next') expect(after?.stats.seq).toBeGreaterThan(before?.stats.seq ?? 0);
          if (kind === 'next') expect(after?.reports).toBe((before?.reports ?? 0) + 1);
        }
      }),
    );
  });
});
