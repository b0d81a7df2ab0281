import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { NewerState, SavedState } from '../core/state.js';
import { Succession } from './succession.js';

const known: SavedState = { v: 1, drains: [], isPaused: true, history: [] };
let saved: SavedState | NewerState | undefined;
let isLeading: boolean;
let done: unknown[];
let succession: Succession;

beforeEach(() => {
  vi.useFakeTimers();
  isLeading = true;
  done = [];
  succession = new Succession({
    load: async () => {
      if (saved === undefined && done.length === 1) throw new Error('no answer');
      return saved;
    },
    isLeading: () => isLeading,
    lead: (state) => done.push(state),
    hold: (why) => done.push(why),
    log: { error: () => {} },
  });
});
afterEach(() => {
  succession.end();
  vi.useRealTimers();
});

it('goes on from what the leader before has left', async () => {
  saved = known;
  await succession.begin();
  expect(done).toEqual([known]);
});

it('leaves a state of a later version as it is, until it is one that it understands', async () => {
  saved = { newer: 2 };
  await succession.begin();
  expect(done).toEqual([expect.stringContaining('version 2')]);
  saved = undefined;
  await vi.advanceTimersByTimeAsync(5_000);
  saved = known;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(done).toEqual([expect.stringContaining('version 2'), known]);
});

it('does nothing when another has begun to lead meanwhile', async () => {
  saved = { newer: 2 };
  await succession.begin();
  isLeading = false;
  saved = known;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(done).toHaveLength(1);
});
