import { expect, it } from 'vitest';
import { readState } from './saved-state.js';

const drains = [{ node: 'e1', boot: 'b', by: 'ann' }];

it('reads what a balancer saves', () => {
  const state = { v: 1, drains, isPaused: true, history: [] };
  expect(readState(state)).toEqual({ state });
});

it('reads what a balancer saves that knows of no pinned sessions', () => {
  const counts = { asked: 3, done: 2, failed: 1, timedOut: 0, refused: 0 };
  const about = { kind: 'drain', why: 'draining e1', by: 'auto', total: 3, startedAt: 1 };
  const moves = { from: 'e1', to: 'e2', count: 3 };
  const ended = { ...about, id: 'p1', state: 'partial', outcome: '1 was not moved', endedAt: 2 };
  const older = {
    v: 1,
    plan: {
      ...about,
      id: 'p2',
      strategy: 'least-loaded',
      load: 'connections',
      steps: [moves],
      moveDeadlineMs: 10_000,
    },
    run: { state: 'running', steps: [{ boot: 'b', settledBatches: 1, progress: { ...moves, ...counts } }] },
    drains,
    isPaused: true,
    history: [{ ...ended, done: 2, failed: 1, timedOut: 0, moved: [{ from: 'e1', to: 'e2', done: 2 }] }],
  };
  const read = readState(older);
  expect(read).toMatchObject({
    state: { ...older, run: { steps: [{ progress: { pinned: 0 } }] }, history: [{ pinned: 0 }] },
  });
  expect(read).not.toHaveProperty('unreadable');
});

it('keeps by which clock a state is, also where the plan cannot be read', () => {
  const clock = { at: 5, nodes: [{ node: 'e1', boot: 'b', aheadMs: -12.5 }] };
  const timed = [{ node: 'e1', boot: 'b', by: 'ann', endsBy: 9 }];
  const state = { v: 1, clock, drains: timed, isPaused: false, history: [] };
  expect(readState(state)).toEqual({ state });
  expect(readState({ ...state, plan: {} })).toMatchObject({ state: { clock, drains: timed } });
});

it('keeps who has paused rebalancing, and what is to be closed', () => {
  const pause = { by: 'ann', at: 1, why: 'undo of p1' };
  const closing = [{ node: 'e1', boot: 'b', by: 'ann', closesPerSecond: 10 }];
  const state = { v: 1, drains: closing, isPaused: true, pause, history: [] };
  expect(readState(state)).toEqual({ state });
  expect(readState({ v: 1, plan: {}, drains: closing, isPaused: true, pause })).toMatchObject({
    state: { drains: closing, pause },
  });
});

it('keeps what operators have set, and leaves out what this version does not take', () => {
  const quiet = { name: 'quietMs', value: 5_000, by: 'ann', at: 1 };
  const foreign = [
    { ...quiet, name: 'later', value: 1 },
    { ...quiet, value: 'soon' },
  ];
  const nodeSettings = [{ node: 'e1', weight: 2, by: 'ann', at: 1 }];
  const tooHeavy = { node: 'e2', weight: 1_000_000, by: 'ann', at: 1 };
  const saved = {
    v: 1,
    drains,
    isPaused: false,
    settings: [quiet, ...foreign],
    nodeSettings: [...nodeSettings, tooHeavy],
  };
  const kept = { state: { settings: [quiet], nodeSettings } };
  expect(readState({ ...saved, history: [] })).toMatchObject(kept);
  expect(readState({ ...saved, history: [] })).not.toHaveProperty('unreadable');
  expect(readState({ ...saved, plan: {} })).toMatchObject(kept);
});

it('keeps pauses and drains of a state whose plan it cannot read', () => {
  const read = readState({ v: 1, plan: { kind: 'unheard-of' }, drains, isPaused: true });
  expect(read).toMatchObject({ state: { v: 1, drains, isPaused: true, history: [] } });
  expect(read).toMatchObject({ unreadable: expect.stringContaining('history') });
});

it('tells the version alone of a state that a later version has saved', () => {
  expect(readState({ v: 2, drains, isPaused: true, history: [] })).toEqual({ newer: 2 });
  expect(readState({ v: 3, everything: 'else' })).toEqual({ newer: 3 });
});

it('throws where nothing can be read', () => {
  for (const raw of [{ isPaused: 'perhaps' }, { v: 'two' }, 7, null]) expect(() => readState(raw)).toThrow();
});
