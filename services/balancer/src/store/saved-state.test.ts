import { expect, it } from 'vitest';
import { readState } from './saved-state.js';

const drains = [{ node: 'e1', boot: 'b', by: 'ann' }];

it('reads what a balancer saves', () => {
  const state = { v: 1, drains, isPaused: true, history: [] };
  expect(readState(state)).toEqual({ state });
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
