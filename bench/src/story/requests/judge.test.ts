import { describe, expect, it } from 'vitest';
import { type CallOutcome, didNotHappen, faultsOfCalls, judgeCalls } from './judge.js';

const codes = new Set(['request-timeout']);
const judged = (call: Partial<CallOutcome>, runs = 1) =>
  faultsOfCalls(
    'calls',
    judgeCalls([{ name: 'a', kind: 'stream', settled: 1, isAnswer: true, parts: [0, 1, 2], ...call }], {
      parts: 3,
      codes,
      runsOf: () => runs,
    }),
  );

describe('the judge of calls', () => {
  it('finds nothing wrong with an answer, whole, of one run', () => {
    expect(judged({})).toEqual([]);
    expect(judged({ kind: 'request', parts: [] })).toEqual([]);
  });

  it('lets a documented failure pass, with the first parts of the answer or before any handler', () => {
    expect(judged({ code: 'request-timeout', parts: [0, 1] })).toEqual([]);
    expect(judged({ code: 'request-timeout', parts: [] }, 0)).toEqual([]);
  });

  it.each([
    [{ settled: 0, parts: [0, 1] }, 1, 'calls: 1 were not answered'],
    [{ settled: 2 }, 1, 'calls: 1 were answered more than once'],
    [{ isAnswer: false }, 1, 'calls: 1 got another answer than theirs'],
    [{ code: 'oops' }, 1, 'calls: 1 failed with a code that no document has'],
    [{}, 2, 'calls: 1 had their handler run more than once'],
    [{ code: 'request-timeout' }, 2, 'calls: 1 had their handler run more than once'],
    [{}, 0, 'calls: 1 were answered without a handler'],
    [{ parts: [0, 1] }, 1, 'calls: 1 parts were lost'],
    [{ parts: [0, 2] }, 1, 'calls: 1 parts were lost'],
    [{ parts: [] }, 1, 'calls: 3 parts were lost'],
    [{ code: 'request-timeout', parts: [0, 2] }, 1, 'calls: 1 parts were lost'],
    [{ parts: [0, 1, 1, 2] }, 1, 'calls: 1 parts came twice'],
    [{ parts: [0, 2, 1] }, 1, 'calls: 1 parts came out of order'],
  ] satisfies [Partial<CallOutcome>, number, string][])('finds %o of %i runs', (call, runs, fault) => {
    expect(judged(call, runs)).toEqual([fault]);
  });
});

describe('what was to happen', () => {
  const counted = (calls: readonly Partial<CallOutcome>[]) =>
    didNotHappen(
      'calls',
      judgeCalls(
        calls.map((call) => ({ name: 'a', kind: 'request', settled: 1, isAnswer: true, ...call })),
        { parts: 3, codes, runsOf: () => 1 },
      ),
    );
  const both = { hasMoved: true, hasLostEdge: true };

  it('has happened where calls are answered over a move and over the loss of an edge', () => {
    expect(counted([both])).toEqual([]);
    expect(counted([...Array.from({ length: 99 }, () => both), { code: 'request-timeout' }])).toEqual([]);
  });

  it.each([
    [[{ hasMoved: true }], ['calls: none was answered whose edge was killed meanwhile']],
    [[{ hasLostEdge: true }], ['calls: none was answered whose session moved meanwhile']],
    [[both, { code: 'request-timeout' }, { code: 'request-timeout' }], ['calls: 2 of 3 failed']],
    [
      [{ ...both, code: 'request-timeout' }],
      [
        'calls: none was answered',
        'calls: none was answered whose session moved meanwhile',
        'calls: none was answered whose edge was killed meanwhile',
      ],
    ],
  ])('has not happened: %j', (calls, faults) => {
    expect(counted(calls)).toEqual(faults);
  });
});
