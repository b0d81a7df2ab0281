import type { CommandOf, MoveProgress } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../../testing/plans.js';
import { statsOf } from '../../../testing/stats.js';
import { ClusterState } from '../cluster/state.js';
import type { Plan } from '../plan/plan.js';
import { type PaceOptions, paceDefaults } from './node-rate.js';
import { type Outgoing, PlanRun, type RunSnapshot, runDefaults } from './run.js';

const plan = planOf(120);

/** One edge `a` that obeys at once, and a clock. */
class Stage {
  readonly view = new ClusterState();
  readonly sent: Outgoing[] = [];
  nowMs = 10_000;
  run: PlanRun;
  isUnrouted = false;
  readonly #plan: Plan;
  readonly #pace: PaceOptions;
  #seq = 0;

  constructor(over: Partial<Plan> = {}, pace: Partial<PaceOptions> = {}) {
    this.#plan = { ...plan, ...over };
    this.#pace = { ...paceDefaults, ...pace };
    this.speak();
    this.speak();
    this.run = this.takeOver();
  }

  takeOver(snapshot?: RunSnapshot): PlanRun {
    this.run = new PlanRun(
      this.#plan,
      {
        send: (_, command, onUnrouted) => {
          this.sent.push(command);
          if (this.isUnrouted) onUnrouted();
        },
        node: (name, nowMs) => this.view.get(name, nowMs),
      },
      { ...runDefaults, pace: this.#pace },
      this.nowMs,
      snapshot,
    );
    return this.run;
  }

  speak(b: Parameters<typeof statsOf>[2] = {}): void {
    this.#seq += 1;
    this.view.observe(statsOf('a', this.#seq, { sessions: 1000 }), this.nowMs);
    this.view.observe(statsOf('b', this.#seq, b), this.nowMs);
  }

  tick(ms = 100): void {
    this.nowMs += ms;
    this.run.tick(this.nowMs);
  }

  get reconnects(): CommandOf<'reconnect'>[] {
    return this.sent.filter((c) => c.command === 'reconnect');
  }

  report(move: string, more: Partial<MoveProgress>): void {
    const progress = {
      move,
      to: 'b',
      asked: 0,
      sent: 0,
      done: 0,
      failed: 0,
      timedOut: 0,
      refused: 0,
      isFinal: true,
    };
    const moves = [{ ...progress, ...more }];
    this.run.report({ v: 1, node: 'a', boot: 'a-1', at: this.nowMs, moves }, this.nowMs);
  }
}

describe('carrying out a plan', () => {
  it('moves exactly as many as planned, in batches with ids that follow from the plan', () => {
    const stage = new Stage();
    for (let i = 0; i < 100 && !stage.run.isOver; i++) {
      stage.tick();
      const last = stage.reconnects.at(-1);
      if (last !== undefined) stage.report(last.move, { asked: last.count ?? 0, done: last.count ?? 0 });
    }
    expect(stage.run.state).toBe('done');
    expect(stage.reconnects.reduce((sum, c) => sum + (c.count ?? 0), 0)).toBe(120);
    expect(stage.reconnects.map((c) => c.move)).toEqual(stage.reconnects.map((_, i) => `p.0.${i}`));
  });

  it.each([
    [{}, undefined],
    [{ ticketParts: 3 }, 'b-1'],
  ])('names the process of a target only if its tickets can name it: %o', (stats, boot) => {
    const stage = new Stage();
    stage.speak(stats);
    stage.tick();
    expect(stage.reconnects[0]?.to).toEqual({
      node: 'b',
      url: expect.any(String),
      ...(boot === undefined ? {} : { boot }),
    });
  });

  it('sends the next batch only when the last was reported, and the same again when no report comes', () => {
    const stage = new Stage();
    for (let i = 0; i < 14; i++) stage.tick();
    expect(stage.reconnects).toHaveLength(1);
    stage.tick(1000);
    expect(stage.reconnects.map((c) => c.move)).toEqual(['p.0.0', 'p.0.0']);
    expect(stage.reconnects[1]).toEqual(stage.reconnects[0]);
  });

  it('asks for a final report that was lost, long before the moves would be given up', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 120, done: 100, isFinal: false });
    for (let i = 0; i < 29; i++) {
      stage.tick();
      if (i % 10 === 0) stage.speak();
    }
    expect(stage.reconnects).toHaveLength(1);
    stage.tick();
    stage.tick();
    expect(stage.reconnects.map((c) => c.move)).toEqual(['p.0.0', 'p.0.0']);
    stage.report('p.0.0', { asked: 120, done: 120 });
    stage.tick();
    expect(stage.run.state).toBe('done');
  });

  it('asks again for reports that may have been lost, and not for what was taken back', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, done: 10, isFinal: false });
    const asked = () => stage.reconnects.filter((c) => c.move === 'p.0.0').length;
    stage.tick(10);
    expect(asked()).toBe(1);
    stage.run.askAgain(stage.nowMs);
    stage.tick(10);
    expect(asked()).toBe(2);
    stage.report('p.0.0', { asked: 50, done: 50 });
    stage.run.askAgain(stage.nowMs);
    stage.tick(10);
    expect(asked()).toBe(2);
    const other = new Stage();
    other.tick();
    other.run.abort('aborted by ann');
    other.run.askAgain(other.nowMs);
    other.tick(10);
    expect(other.sent.map((c) => c.command)).toEqual(['reconnect', 'cancel', 'cancel']);
  });

  it.each([
    ['the least rate', {}, 20],
    ['the greatest, where that is lower', { startPerSecond: 5, maxPerSecond: 5 }, 5],
  ])('waits as long as a command takes at %s, then takes the rest back', (_, pace, perSecond) => {
    const whole = { from: 'a', to: 'b', count: 120, load: 1_000 };
    const stage = new Stage({ load: 'events', steps: [whole] }, pace);
    stage.tick();
    const beganAtMs = stage.nowMs;
    while (!stage.run.isOver && stage.nowMs < 100_000) {
      stage.report('p.0.0', { asked: 120, sent: 2, done: 1, isFinal: false });
      stage.speak();
      stage.tick(500);
    }
    const longestMs = plan.moveDeadlineMs + (120 / perSecond) * 1_000 + 5_000;
    expect((stage.nowMs - beganAtMs - longestMs) / 500).toBeCloseTo(1, 0);
    expect(stage.sent.at(-1)).toEqual({ command: 'cancel', move: 'p.0.0' });
    expect(stage.run.progress()[0]).toMatchObject({ done: 1, timedOut: 119 });
  });

  it('goes on after its leader has died without moving more than planned, though the counts differ', () => {
    const stage = new Stage();
    stage.tick();
    const first = stage.reconnects[0];
    expect(first).toMatchObject({ move: 'p.0.0', count: 50 });
    const saved = stage.run.snapshot();
    // The edge has had 30 under this id from the leader before.
    stage.takeOver(saved);
    stage.tick();
    expect(stage.reconnects[1]?.move).toBe('p.0.0');
    stage.report('p.0.0', { asked: 30, done: 30 });
    for (let i = 0; i < 100 && !stage.run.isOver; i++) {
      stage.tick();
      const last = stage.reconnects.at(-1);
      if (last !== undefined && last.move !== 'p.0.0') {
        stage.report(last.move, { asked: last.count ?? 0, done: last.count ?? 0 });
      }
    }
    const later = stage.reconnects
      .filter((c) => c.move !== 'p.0.0')
      .reduce((sum, c) => sum + (c.count ?? 0), 0);
    expect(30 + later).toBe(120);
    expect(stage.run.progress()[0]?.done).toBe(120);
  });

  it('takes back what was not sent when the target goes bad, and says why', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, sent: 10, done: 10, isFinal: false });
    stage.speak({ state: 'draining' });
    stage.tick();
    expect(stage.sent.at(-1)).toEqual({ command: 'cancel', move: 'p.0.0' });
    stage.report('p.0.0', { asked: 50, sent: 10, done: 10, refused: 40 });
    stage.tick();
    expect(stage.run.state).toBe('partial');
    expect(stage.run.outcome).toContain('b is draining');
    expect(stage.reconnects).toHaveLength(1);
  });

  it('gives a target up that fails too many', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, done: 20, timedOut: 30 });
    stage.tick();
    expect(stage.run.state).toBe('partial');
    expect(stage.run.outcome).toContain('fails 30 of 50');
  });

  it('holds it against no target that clients leave while they are asked to move there', () => {
    const stage = new Stage();
    for (let i = 0; i < 100 && !stage.run.isOver; i++) {
      stage.tick();
      stage.speak();
      const last = stage.reconnects.at(-1);
      const asked = last?.count ?? 0;
      if (last !== undefined) stage.report(last.move, { asked, done: 1, failed: asked - 1 });
    }
    expect(stage.run.state).toBe('done');
    expect(stage.run.outcome).toMatch(/^\d+ moved, \d+ left by themselves$/);
  });

  it('ends when the source has gone or has started anew', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, sent: 50, done: 20, isFinal: false });
    for (const seq of [1, 2, 3]) {
      stage.view.observe(statsOf('a', seq, { boot: 'a-2', at: 90_000 }), stage.nowMs);
      stage.tick(1000);
    }
    expect(stage.run.state).toBe('partial');
    expect(stage.run.progress()[0]).toMatchObject({ done: 20, timedOut: 30 });
  });

  it('ends at once when nobody takes the command', () => {
    const stage = new Stage();
    stage.isUnrouted = true;
    stage.tick();
    stage.tick();
    expect(stage.run.state).toBe('partial');
  });

  it('sends nothing while paused, and goes on after', () => {
    const stage = new Stage();
    stage.run.pause();
    stage.tick(1000);
    expect(stage.sent).toEqual([]);
    stage.run.resume();
    stage.tick();
    expect(stage.reconnects).toHaveLength(1);
  });

  it('follows what was sent to its end when aborted', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, sent: 20, done: 10, isFinal: false });
    stage.run.abort('by test');
    stage.tick();
    expect(stage.run.isOver).toBe(false);
    stage.report('p.0.0', { asked: 50, sent: 20, done: 20, refused: 30 });
    stage.tick();
    expect(stage.run.state).toBe('aborted');
    expect(stage.run.progress()[0]?.done).toBe(20);
  });

  it('ends a step when the source has nobody left to pick', () => {
    const stage = new Stage();
    stage.tick();
    stage.report('p.0.0', { asked: 50, refused: 50 });
    stage.tick();
    expect(stage.run.state).toBe('partial');
    expect(stage.run.outcome).toBe('120 were not moved');
  });
});
