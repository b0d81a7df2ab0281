import { expect, it } from 'vitest';
import { readState } from './saved-state.js';

const drains = [{ node: 'e1', boot: 'b', by: 'ann' }];

it('reads what a balancer saves', () => {
  const state = { v: 1, drains, isPaused: true, history: [] };
  expect(readState(state)).toEqual({ state });
});

it('keeps pauses and drains of a state whose plan it cannot read, as of another version', () => {
  const read = readState({ v: 2, plan: { kind: 'unheard-of' }, drains, isPaused: true });
  expect(read.state).toEqual({ v: 1, drains, isPaused: true, history: [] });
  expect(read.unreadable).toContain('history');
});

it('throws where nothing can be read', () => {
  expect(() => readState({ isPaused: 'perhaps' })).toThrow();
});
