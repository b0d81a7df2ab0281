import { describe, expect, it } from 'vitest';
import { statsOf } from '../../../testing/stats.js';
import { ClusterState } from '../cluster/state.js';
import { type Decision, wait } from './decision.js';
import { Policy, type Situation } from './policy.js';

type More = Parameters<typeof statsOf>[2];

/** A cluster that reports every second, and a policy that is asked ten times a second. */
class Stage {
  readonly view = new ClusterState();
  readonly policy = new Policy();
  nowMs = 0;
  situation: Partial<Situation> = {};
  #seq = 0;

  /** Goes on until there is a plan, or for so many seconds. */
  play(seconds: number, nodes: Record<string, More>): Decision {
    let decision: Decision = wait('level', 'not asked');
    for (let s = 0; s < seconds; s++) {
      this.#seq += 1;
      for (const [name, more] of Object.entries(nodes))
        this.view.observe(statsOf(name, this.#seq, more), this.nowMs);
      for (let k = 0; k < 10; k++) {
        decision = this.policy.decide({
          nowMs: this.nowMs,
          nodes: this.view.nodes(this.nowMs),
          drains: new Map(),
          levelling: true,
          lastPlanEndMs: Number.NEGATIVE_INFINITY,
          fruitless: { count: 0, lastAtMs: Number.NEGATIVE_INFINITY },
          flapping: new Set(),
          attempts: new Map(),
          ring: undefined,
          ...this.situation,
        });
        if (decision.kind === 'plan') return decision;
        this.nowMs += 100;
      }
    }
    return decision;
  }
}

const totals = (d: Decision) => (d.kind === 'plan' ? d.draft.total : d.why);

describe('deciding', () => {
  it('fills a node that joins within three seconds of its first report', () => {
    const stage = new Stage();
    stage.play(5, { a: { sessions: 1500 }, b: { sessions: 1500 } });
    const beganAtMs = stage.nowMs;
    const decision = stage.play(10, { a: { sessions: 1500 }, b: { sessions: 1500 }, c: {} });
    expect(totals(decision)).toBe(1000);
    expect(stage.nowMs - beganAtMs).toBeLessThanOrEqual(3000);
  });

  it('leaves alone what is within one in a hundred or five sessions', () => {
    expect(totals(new Stage().play(10, { a: { sessions: 1010 }, b: { sessions: 990 } }))).toContain('level');
    expect(totals(new Stage().play(10, { a: { sessions: 10 }, b: {} }))).toContain('level');
    expect(totals(new Stage().play(10, { a: { sessions: 1012 }, b: { sessions: 988 } }))).toBe(12);
  });

  it('plans a drain on what the nodes that take the sessions say after the last plan, not before', () => {
    const stage = new Stage();
    const draining = { sessions: 9, state: 'draining' as const };
    stage.play(3, { a: { sessions: 20 }, b: { capacity: 20 }, c: { capacity: 100 } });
    stage.situation = { lastPlanEndMs: stage.nowMs };
    stage.nowMs += 100;
    expect(totals(stage.play(1, { a: draining }))).toContain('a report of b from after the last plan');
    const full = { sessions: 20, connections: 20, capacity: 20 };
    const decision = stage.play(1, { a: draining, b: full, c: { capacity: 100 } });
    expect(decision).toMatchObject({ kind: 'plan', draft: { steps: [{ from: 'a', to: 'c', count: 9 }] } });
  });

  it('drains within half a second of the report that says so, several nodes together and onto none of them', () => {
    const stage = new Stage();
    stage.play(3, { a: { sessions: 9 }, b: { sessions: 9 }, c: {} });
    const beganAtMs = stage.nowMs;
    const draining = { sessions: 9, state: 'draining' as const };
    const decision = stage.play(3, { a: draining, b: draining, c: {} });
    expect(stage.nowMs - beganAtMs).toBeLessThanOrEqual(500);
    expect(decision).toMatchObject({
      planKind: 'drain',
      draft: {
        steps: [
          { from: 'a', to: 'c', count: 9 },
          { from: 'b', to: 'c', count: 9 },
        ],
      },
    });
  });

  it('gives a node up that cannot be emptied, until a node comes, goes or changes', () => {
    const stage = new Stage();
    const nodes = { a: { sessions: 9, state: 'draining' as const }, b: {} };
    stage.play(3, nodes);
    const failedNow = () => {
      stage.nowMs += 100;
      stage.situation = { attempts: new Map([['a.a-1', { count: 5, lastAtMs: stage.nowMs }]]) };
    };
    failedNow();
    expect(stage.play(10, nodes).kind).toBe('wait');
    expect(totals(stage.play(10, { ...nodes, c: {} }))).toBe(9);
    failedNow();
    expect(stage.play(10, { ...nodes, c: {} }).kind).toBe('wait');
  });

  it('drains in manual mode and while paused: the node goes either way', () => {
    const stage = new Stage();
    stage.situation = { levelling: 'manual mode' };
    expect(totals(stage.play(5, { a: { sessions: 9, state: 'draining' }, b: {} }))).toBe(9);
    expect(totals(stage.play(5, { a: {}, b: { sessions: 90 } }))).toBe('manual mode');
  });

  it('holds while versions are mixed, and levels when nothing has changed for a minute', () => {
    const nodes = { a: { sessions: 900 }, b: { sessions: 900 }, c: { version: '2' } };
    const stage = new Stage();
    expect(totals(stage.play(55, nodes))).toContain('versions are mixed');
    expect(totals(stage.play(20, nodes))).toBe(600);
  });

  it.each([
    ['moves are pending', { moves: { pending: 3, done: 0, failed: 0 } }, 'moves are pending on a'],
    ['clients are attaching', { connections: 400 }, 'clients are still attaching on a'],
  ])('waits while %s', (_, more, why) => {
    expect(totals(new Stage().play(10, { a: { sessions: 300, ...more }, b: {} }))).toBe(why);
  });

  it.each([
    ['clients that never say hello', { connections: 308 }],
    ['moves that never end', { moves: { pending: 3, done: 0, failed: 0 } }],
  ])('waits half a minute for %s, and no longer', (_, more) => {
    const stage = new Stage();
    expect(stage.play(29, { a: { sessions: 300, ...more }, b: {} }).kind).toBe('wait');
    expect(totals(stage.play(10, { a: { sessions: 300, ...more }, b: {} }))).toBe(150);
  });

  it('gives nothing to a node that flaps', () => {
    const stage = new Stage();
    stage.situation = { flapping: new Set(['c']) };
    expect(totals(stage.play(10, { a: { sessions: 90 }, b: { sessions: 90 }, c: {} }))).toContain('level');
  });

  it('waits for clients that a full node has turned away before it fills a node that has come', () => {
    const full = { sessions: 100, capacity: 100 };
    const stage = new Stage();
    stage.play(5, { a: full, b: full });
    for (let come = 0; come <= 60; come += 10) {
      const decision = stage.play(1, { a: full, b: full, c: { sessions: come, capacity: 100 } });
      expect(decision.kind).toBe('wait');
    }
    const settled = { a: full, b: full, c: { sessions: 60, capacity: 100 } };
    expect(totals(stage.play(2, settled))).toBe('clients that a has no room for are still coming elsewhere');
    expect(totals(stage.play(10, settled))).toBe(26);
  });

  it('tries again after ever longer when little has come of levelling, at once when a node has come', () => {
    const nodes = { a: { sessions: 90 }, b: {} };
    const stage = new Stage();
    expect(totals(stage.play(10, nodes))).toBe(45);
    const failed = (count: number) => {
      stage.nowMs += 100;
      stage.situation = { lastPlanEndMs: stage.nowMs, fruitless: { count, lastAtMs: stage.nowMs } };
    };
    for (const [count, quietSeconds] of [
      [1, 4],
      [3, 16],
      [9, 60],
    ] as const) {
      failed(count);
      expect(stage.play(quietSeconds - 1, nodes).kind).toBe('wait');
      expect(stage.play(5, nodes).kind).toBe('plan');
    }
    failed(9);
    expect(stage.play(5, { ...nodes, c: {} }).kind).toBe('plan');
  });

  it('says so when there is nobody to drain to', () => {
    expect(totals(new Stage().play(5, { a: { sessions: 9, state: 'draining' } }))).toContain(
      'no active node',
    );
  });

  it('does not plan by figures of before and after a crash side by side', () => {
    const stage = new Stage();
    stage.play(5, { a: { sessions: 1000 }, b: { sessions: 1000 }, c: { sessions: 1000 } });
    // c has died; its clients are on b already, which is the first to say so.
    const decision = stage.play(1, { b: { sessions: 1500 } });
    expect(totals(decision)).toMatch(/waiting for a new report/);
  });
});
