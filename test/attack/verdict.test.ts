import { expect, test } from 'vitest';
import { faults, lateness, type Outcome } from './verdict.js';

const felt = {
  published: 100,
  events: 100,
  p50Ms: 2,
  p99Ms: 10,
  begun: 5,
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
  felt: { ...felt, p99Ms: 25, attachMaxMs: 1060, events: 98 },
  weights: [{ name: 'edge-1', beforeMib: 80, peakMib: 180, afterMib: 90 }],
  ended: [],
  maxGrowthMib: 100,
};

test('an attack that was refused, and that nobody felt, has no fault: 2 × the control and 5 ms, of attaches 1 s, is the bound', () => {
  expect(faults(outcome)).toEqual([]);
});

test.each([
  ['what was not refused', { seen: { ...outcome.seen, isRefused: false } }, 'not refused'],
  ['events that came later than that', { felt: { ...felt, p99Ms: 25.1 } }, 'p99 above'],
  ['an attach that took longer than that', { felt: { ...felt, attachMaxMs: 1061 } }, 'an attach took'],
  ['events that never came', { felt: { ...felt, events: 0, p50Ms: 0, p99Ms: 0 } }, '100 events published'],
  ['three events of a hundred that did not come', { felt: { ...felt, events: 97 } }, 'clients got 97'],
  ['a run in which nothing was published', { felt: { ...felt, published: 0, events: 0 } }, 'of 0 events'],
  ['an attach that hangs', { felt: { ...felt, begun: 6 } }, '1 innocent clients were still waiting'],
  [
    'clients that were kept out',
    { felt: { ...felt, begun: 6, attachesFailed: 1, failure: 'gateway 503' } },
    'gateway 503',
  ],
  ['clients that got a gap', { felt: { ...felt, troubled: 1 } }, 'got a gap'],
  ['a process that grew', { maxGrowthMib: 99 }, 'edge-1 grew'],
  ['a process that ended', { ended: ['edge-2'] }, 'edge-2 ended'],
])('%s is a fault', (_, change, what) => {
  expect(faults({ ...outcome, ...change })).toEqual([expect.stringContaining(what)]);
});

test('how long events and attaches took may be left out, the rest not', () => {
  const slow = { ...outcome, felt: { ...felt, p99Ms: 900, attachMaxMs: 9000, troubled: 1 } };
  expect(faults(slow, false)).toEqual([expect.stringContaining('got a gap')]);
});

test('lateness is the worse part of what is allowed to events and to attaches', () => {
  expect(lateness({ control: felt, felt: { ...felt, p99Ms: 50 } })).toBe(2);
  expect(lateness({ control: felt, felt: { ...felt, attachMaxMs: 3180 } })).toBe(3);
});
