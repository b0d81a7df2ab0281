import { expect, it } from 'vitest';
import type { Line } from '../log.js';
import { loadHeld, secondsDegraded } from './degraded.js';

const event = (at: number): Line => ({ at, kind: 'frame', connection: 'a', frame: { t: 'event' } });
const publish = (at: number): Line => ({
  at,
  kind: 'publish',
  publisher: 'p',
  n: at + 1,
  keys: ['user.u.e'],
});
const perSecond = (counts: readonly number[]): Line[] =>
  counts.flatMap((count, second) => Array.from({ length: count }, (_, n) => event(second * 1_000 + n)));

it('counts the seconds in which less than half came of what came before something was done', () => {
  const begin: Line = { at: 3_500, kind: 'condition', name: 'x', phase: 'begin' };
  const lines = [...perSecond([10, 10, 10, 10, 0, 4, 5, 10, 0]), begin, publish(8_100)];
  expect(secondsDegraded(lines.toSorted((a, b) => a.at - b.at))).toBe(2);
});

it('compares what came while something was done with what came before', () => {
  const phase = (at: number, of: 'begin' | 'end'): Line => ({ at, kind: 'condition', name: 'x', phase: of });
  const lines = [...perSecond([10, 10, 10, 10, 0, 4, 5, 10, 0]), phase(3_500, 'begin'), phase(7_100, 'end')];
  expect(loadHeld(lines.toSorted((a, b) => a.at - b.at))).toBeCloseTo(0.3);
});

it('knows nothing of a run in which nothing was done', () => {
  expect(secondsDegraded(perSecond([1, 2]))).toBeUndefined();
  expect(loadHeld(perSecond([1, 2]))).toBeUndefined();
});
