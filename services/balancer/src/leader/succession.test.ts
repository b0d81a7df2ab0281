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
    heard: async () => void done.push('heard'),
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

it('hears the nodes first where something is to end at a time, for they tell by which clock', async () => {
  const clock = { at: 1_000_000, nodes: [] };
  const goal = { node: 'a', boot: 'a-1', by: 'ann' };
  const states: SavedState[] = [
    { ...known, clock },
    { ...known, clock, drains: [goal, { ...goal, endsBy: 5, ended: { at: 6, left: 1 } }] },
    { ...known, clock, aborted: { by: 'ann', at: 700_000 } },
    { ...known, drains: [{ ...goal, endsBy: 5 }] },
    { ...known, clock, drains: [{ ...goal, endsBy: 5 }] },
    { ...known, clock, aborted: { by: 'ann', at: 700_001 } },
  ];
  for (const state of states) {
    saved = state;
    await succession.begin();
  }
  const [lasting, timed] = [states.slice(0, 4), states.slice(4)];
  expect(done).toEqual([...lasting, ...timed.flatMap((state) => ['heard', state])]);
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
