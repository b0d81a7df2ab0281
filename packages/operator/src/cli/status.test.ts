import type { StatusAnswer } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { node, statusOf } from '../../testing/nodes.js';
import { statusText } from './status.js';

const text = (more: Partial<StatusAnswer>, isWide = false) =>
  statusText(statusOf([node('e1'), node('e2')], more), (_, t) => t, { isWide });

describe('statusText', () => {
  it('shows the version only where there are several, or where it is asked for', () => {
    expect(text({})).not.toContain('VERSION');
    expect(text({}, true)).toContain('VERSION');
    expect(text({ nodes: [node('e1'), node('e2', { version: '1.0.1' })] })).toMatch(
      /VERSION.*\n.*\n.*1\.0\.1/,
    );
  });

  it('begins with the sentence, and shows what passes through, for how long the leader leads, and what is set live', () => {
    const shown = text({
      sentence: 'Level; nothing runs.',
      totals: { sessions: 20, eventsPerSecond: 1_200, publishToSocketP99Ms: 12, gapsLastHour: 1 },
      level: { maxOverMean: 1.25 },
      leaderSince: Date.now() - 3_600_000,
      settingsChanged: ['mode', 'e1.weight'],
    });
    expect(shown).toContain('now     Level; nothing runs.');
    expect(shown).toContain(
      'events  1,200 a second, p99 12 ms from publisher to socket, 1 gap in the last hour',
    );
    expect(shown).toContain('total   20 connections on 2 nodes, max/mean 1.250');
    expect(shown).toMatch(/leader {2}b1 for 1 h 0 min/);
    expect(shown).toContain('set     mode, e1.weight, live (evenkeel settings)');
  });

  it('shows capacity, mode, why nothing is done, and who has paused it since when', () => {
    const pausedBy = { by: 'ann', at: Date.UTC(2026, 0, 1, 10, 2), why: 'undo of p7' };
    const shown = text({ mode: 'auto', why: 'paused by ann', isPaused: true, pausedBy });
    expect(shown).toMatch(/CAPACITY/);
    expect(shown).toContain('mode    auto');
    expect(shown).toContain('why     paused by ann');
    expect(shown).toContain('by ann since 10:02:00 UTC (undo of p7); evenkeel resume ends it');
    expect(text({ isPaused: false })).not.toContain('paused');
  });

  it('shows who is pinned and how drains have ended', () => {
    const drain = { by: 'ann', state: 'stayed', why: '6 pinned by the front' };
    const shown = text({
      nodes: [node('e1', { state: 'draining', sessions: 6, pinned: 6, drain }), node('e2')],
    });
    expect(shown).toMatch(/PINNED/);
    expect(shown).toContain('pinned  6 by the front');
    expect(shown).toContain('drain   e1 ended by ann, 6 stayed: 6 pinned by the front');
    expect(text({})).not.toContain('PINNED');
  });

  it('tells an edge that cannot be reached from one that an operator has cordoned', () => {
    const shown = text({ nodes: [node('e1', { state: 'cordoned', reachable: false }), node('e2')] });
    expect(shown).toMatch(/e1 +unreachable/);
    expect(shown).toContain('e1: clients that dial its URL do not come to it');
  });

  it('tells an edge whose memory is low from one that an operator has cordoned', () => {
    const memory = { part: 0.87, of: 'process', isLow: true };
    const shown = text({ nodes: [node('e1', { state: 'cordoned', memory }), node('e2')] });
    expect(shown).toMatch(/e1 +low-memory/);
    expect(shown).toContain('e1: 87 % of its memory is used; it takes no newcomers');
  });

  it('says that a balancer which has just started may not know every node', () => {
    expect(text({ isComplete: false })).toContain('may not know every node yet');
    expect(text({ isComplete: true })).not.toContain('may not');
  });

  it('names the last plans: when, by whom, what came of them and why', () => {
    const plan = (id: string) => ({
      id,
      kind: 'drain',
      by: 'ann',
      state: 'done',
      total: 16,
      done: 10,
      outcome: '10 moved, 6 pinned by the front',
      why: 'draining e1',
      startedAt: Date.UTC(2026, 0, 1, 9, 30, 5),
    });
    const shown = text({ history: Array.from({ length: 7 }, (_, i) => plan(`p${7 - i}`)) });
    expect(shown).toContain('last plans, and 2 before (evenkeel history)');
    expect(shown).toContain(
      '  09:30:05 UTC  drain p7 by ann done: 10 of 16 moved (10 moved, 6 pinned by the front; draining e1)',
    );
    expect(shown).not.toContain('p2');
  });
});
