import type { NodeStats } from '@evenkeel/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClockWatch, clockToleranceMs, NodeClocks } from './clocks.js';

const stats = (node: string, over: Partial<NodeStats>) => ({ node, boot: 'b', ...over }) as NodeStats;

/** `edges`: how far ahead each is. `selfAheadMs`: the observer. Reports each second, each under way for `delay()`. */
function world(edges: Record<string, number>, selfAheadMs = 0) {
  const clocks = new NodeClocks();
  const state = { trueMs: 1_000_000, edges, self: selfAheadMs };
  return {
    clocks,
    state,
    run(seconds: number, delay: (second: number) => number = () => 0): void {
      for (let second = 0; second < seconds; second += 1) {
        state.trueMs += 1_000;
        for (const [node, ahead] of Object.entries(state.edges)) {
          const at = state.trueMs + ahead - delay(second);
          clocks.observe(stats(node, { at }), state.trueMs + state.self);
        }
      }
    },
  };
}

it('the node whose clock is off is named, whichever it is and whatever the clock of the observer', () => {
  const far = fc
    // The observer, up to 2 s off, may be the median itself.
    .integer({ min: clockToleranceMs + 2_001, max: 3_600_000 })
    .chain((ms) => fc.constantFrom(ms, -ms));
  fc.assert(
    fc.property(far, fc.integer({ min: -2_000, max: 2_000 }), (off, self) => {
      const { clocks, run } = world({ a: 0, b: off, c: 0 }, self);
      run(6);
      expect(['a', 'b', 'c'].map((node) => clocks.isOff(node))).toEqual([false, true, false]);
    }),
  );
  const { clocks, run } = world({ a: 0, b: 0 }, 40_000);
  run(6);
  expect([clocks.isOff('a'), clocks.isOff('b'), clocks.medianMs]).toEqual([false, false, -40_000]);
});

it('what is within the tolerance is tolerated', () => {
  const { clocks, run } = world({ a: 0, b: clockToleranceMs - 100, c: 100 });
  run(6);
  expect(['a', 'b', 'c'].some((node) => clocks.isOff(node))).toBe(false);
});

it('reports that were under way for long tell nothing of clocks', () => {
  const { clocks, run } = world({ a: 0, b: 0, c: 0 });
  run(60, (second) => (second % 5 === 0 ? 5 : 30_000));
  expect(clocks.ticketsAheadMs('a')).toBe(-5);
  expect(clocks.isOff('a')).toBe(false);
});

it('a step is measured anew within five seconds, in both directions', () => {
  for (const step of [-600_000, 20_000, 3_600_000]) {
    const { clocks, state, run } = world({ a: 0, b: 0, c: 0 });
    run(10);
    state.edges.b = step;
    run(5);
    expect([clocks.aheadMs('b'), clocks.isOff('b'), clocks.isOff('a')]).toEqual([step, true, false]);
    state.edges.b = 0;
    run(6);
    expect(clocks.isOff('b')).toBe(false);
  }
});

it('a process that is started anew is measured anew at once', () => {
  const { clocks, run } = world({ a: 0, b: 40_000, c: 0 });
  run(10);
  clocks.observe(stats('b', { boot: 'b2', at: 1_010_000 }), 1_010_000);
  expect(clocks.isOff('b')).toBe(false);
});

it('two observers agree on the time, whatever their own clocks say', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -3_600_000, max: 3_600_000 }),
      fc.array(fc.integer({ min: -9_000, max: 9_000 }), { minLength: 3, maxLength: 9 }),
      (self, edges) => {
        const nodes = () => Object.fromEntries(edges.map((ahead, i) => [`e${i}`, ahead]));
        const [one, other] = [world(nodes()), world(nodes(), self)];
        one.run(6);
        other.run(6);
        const apart = self + other.clocks.steadyMedianMs - one.clocks.steadyMedianMs;
        // At most by the one that an observer counts beside the nodes.
        expect(Math.abs(apart)).toBeLessThanOrEqual(18_000);
        if (new Set(edges).size === 1) expect(apart).toBe(0);
      },
    ),
  );
});

it('two observers know how far apart they are, by what both hear of the same processes, whatever clocks say', () => {
  const clock = fc.integer({ min: -7_200_000, max: 7_200_000 });
  fc.assert(
    fc.property(clock, clock, fc.array(clock, { minLength: 1, maxLength: 30 }), (self, other, edges) => {
      const nodes = () => Object.fromEntries(edges.map((ahead, i) => [`e${i}`, ahead]));
      const [one, next] = [world(nodes(), self), world(nodes(), other)];
      one.run(6);
      next.run(3);
      const marks = one.clocks.marks();
      expect(marks.length).toBe(Math.min(16, edges.length));
      expect(next.clocks.aheadOf(marks)).toBe(other - self);
    }),
  );
});

it('processes that only one observer has heard tell nothing', () => {
  const { clocks, run } = world({ a: 0, b: 0 });
  expect([clocks.marks(), clocks.aheadOf([])]).toEqual([[], undefined]);
  run(3);
  const before = { node: 'a', boot: 'before', aheadMs: 3_600_000 };
  expect(clocks.aheadOf([before, { ...before, node: 'c', boot: 'b' }])).toBeUndefined();
  expect(clocks.aheadOf([before, { node: 'b', boot: 'b', aheadMs: 5_000 }])).toBe(5_000);
});

it('it is reported once that a clock is off, and once that it is right again', () => {
  const { clocks, state, run } = world({ a: 0, b: 40_000, c: 0 });
  const told: string[] = [];
  const watch = new ClockWatch(clocks, (_, message) => told.push(message));
  const look = () => {
    run(6);
    for (const node of ['a', 'b', 'c', 'b']) watch.look(node, 0);
  };
  look();
  look();
  expect(told).toEqual([expect.stringContaining('set the clock of its host')]);
  state.edges.b = 0;
  look();
  expect(told.slice(1)).toEqual(['clock of a node is right again']);
});
