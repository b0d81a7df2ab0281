import { expect, it } from 'vitest';
import { sharesOf } from './cast.js';
import { noDeliveries } from './group.js';
import { faultsOf, faultsOfCalls, type GroupResult } from './result.js';

const good: GroupResult = {
  name: 'raw frames',
  clients: 5,
  published: 100,
  unconfirmed: 0,
  misrouted: 0,
  ...{ delivered: 100, lost: 0, covered: 0, repeated: 0, reordered: 0 },
  topics: noDeliveries,
  gaps: {},
  topicGaps: {},
  disconnects: 0,
  incidents: [],
  moves: { forward: { fewest: 1, most: 2 }, back: { fewest: 1, most: 1 } },
};
const calls = {
  ...{ requests: 10, answered: 10, wrong: 0, requestsFailed: {} },
  ...{ publishes: 10, publishesFailed: {}, lost: 0, repeated: 0, reordered: 0 },
};

it('finds no fault where all came once and in order and everybody moved', () => {
  expect(faultsOf(good, 2)).toEqual([]);
  expect(faultsOfCalls(calls)).toEqual([]);
});

it('finds what was lost, came twice or out of order, each by its own name', () => {
  const faults = faultsOf({ ...good, lost: 1, covered: 2, repeated: 3, reordered: 4 }, 2);
  expect(faults).toEqual([
    'raw frames: 1 events were lost',
    'raw frames: 2 events were lost in gaps',
    'raw frames: 3 events came twice',
    'raw frames: 4 events came out of order',
  ]);
});

it('takes a gap that clients were told of for an answer in topics alone', () => {
  expect(faultsOf({ ...good, topics: { ...noDeliveries, covered: 3 }, topicGaps: { drain: 1 } }, 2)).toEqual(
    [],
  );
  expect(faultsOf({ ...good, topics: { ...noDeliveries, lost: 3 } }, 2)).toHaveLength(1);
  expect(faultsOf({ ...good, gaps: { overflow: 1 } }, 2)).toHaveLength(1);
});

it('asks that each session moved, and no more than it may, in each direction', () => {
  const moved = (fewest: number, most: number) => ({ ...good, moves: { forward: { fewest, most } } });
  expect(faultsOf(moved(0, 1), 2)).toEqual([
    'raw frames: forward: a session never moved, so its edge was not changed',
  ]);
  expect(faultsOf(moved(1, 3), 2)).toEqual(['raw frames: forward: a session moved 3 times, not 2 at most']);
});

it('asks that calls were made, answered by whom they were for, and reached services once', () => {
  expect(faultsOfCalls({ ...calls, requests: 0, answered: 0 })).toHaveLength(1);
  expect(faultsOfCalls({ ...calls, answered: 9 })).toEqual(['1 requests were not answered']);
  expect(faultsOfCalls({ ...calls, answered: 9, requestsFailed: { 'no-service': 1 } })).toHaveLength(1);
  expect(faultsOfCalls({ ...calls, repeated: 1, lost: 1 })).toHaveLength(2);
});

it('shares all sessions out, with some of every kind', () => {
  for (const sessions of [30, 60, 1_000, 5_000]) {
    const { callersOfEach, ...others } = sharesOf(sessions);
    expect(Object.values(others).reduce((sum, n) => sum + n, 2 * callersOfEach)).toBe(sessions);
    expect(Math.min(callersOfEach, ...Object.values(others))).toBeGreaterThan(0);
  }
});
