import { expect, test } from 'vitest';
import { faults, type Outcome } from './verdict.js';

const felt = {
  events: 100,
  p50Ms: 2,
  p99Ms: 10,
  attaches: 5,
  attachP50Ms: 20,
  attachMaxMs: 30,
  attachesFailed: 0,
  failure: undefined,
  troubled: 0,
};
const outcome: Outcome = {
  seen: { sent: 'a', answered: 'b', isRefused: true },
  control: felt,
  felt: { ...felt, p99Ms: 25 },
  weights: [{ name: 'edge-1', beforeMib: 80, peakMib: 180, afterMib: 90 }],
  ended: [],
  maxGrowthMib: 100,
};

test('an attack that was refused, and that nobody felt, has no fault: 2 × the control and 5 ms is the bound', () => {
  expect(faults(outcome)).toEqual([]);
});

test.each([
  ['what was not refused', { seen: { ...outcome.seen, isRefused: false } }, 'not refused'],
  ['events that came later than that', { felt: { ...felt, p99Ms: 25.1 } }, 'p99 above'],
  [
    'clients that were kept out',
    { felt: { ...felt, attachesFailed: 1, failure: 'gateway 503' } },
    'gateway 503',
  ],
  ['clients that got a gap', { felt: { ...felt, troubled: 1 } }, 'got a gap'],
  ['a process that grew', { maxGrowthMib: 99 }, 'edge-1 grew'],
  ['a process that ended', { ended: ['edge-2'] }, 'edge-2 ended'],
])('%s is a fault', (_, change, what) => {
  expect(faults({ ...outcome, ...change })).toEqual([expect.stringContaining(what)]);
});

test('how long events took may be left out, the rest not', () => {
  const slow = { ...outcome, felt: { ...felt, p99Ms: 900, troubled: 1 } };
  expect(faults(slow, false)).toEqual([expect.stringContaining('got a gap')]);
});
