import { expect, it } from 'vitest';
import type { PlanRun, RunSnapshot } from './run/run.js';
import { Saver } from './saver.js';
import type { SavedState } from './state.js';

const state: SavedState = { v: 1, drains: [], isPaused: false, history: [] };

/** How often a run of so many steps is saved in ten seconds in which each tick changes it. */
function savesOf(steps: number): number {
  let saves = 0;
  let done = 0;
  const progress = { from: 'a', to: 'b', count: 9, asked: 9, failed: 0, pinned: 0, timedOut: 0, refused: 0 };
  const snapshot = (): RunSnapshot => ({
    state: 'running',
    steps: Array.from({ length: steps }, () => ({
      boot: 'a-1',
      settledBatches: 0,
      progress: { ...progress, done },
    })),
  });
  const run = { snapshot } as PlanRun;
  const saver = new Saver({
    save: () => {
      saves += 1;
      return undefined;
    },
    log: () => {},
  });
  for (let nowMs = 0; nowMs < 10_000; nowMs += 100) {
    done += 1;
    saver.saveProgress(run, () => state, nowMs);
  }
  return saves;
}

it('saves the progress of a small plan several times a second, and no more than a megabyte a second of a large one', () => {
  expect(savesOf(3)).toBeGreaterThanOrEqual(30);
  expect(savesOf(10_000)).toBeLessThanOrEqual(7);
});

it('what ends at a time is due again every half minute, and nothing else', () => {
  const saver = new Saver({ save: () => undefined, log: () => {} });
  const dueAt = (hasEnd: boolean) =>
    Array.from({ length: 70 }, (_, second) => second).filter((second) =>
      saver.isDue(() => hasEnd, second * 1_000),
    );
  expect(dueAt(true)).toEqual([0, 30, 60]);
  expect(dueAt(false)).toEqual([]);
});
