import { describe, expect, it } from 'vitest';
import { allowedGaps } from './faults.js';
import { whySlower } from './pace.js';
import { judge, type Measured } from './verdict.js';

const none = { count: 1, p50: 1, p99: 1, max: 1 };
const accounts = {
  published: 100,
  failed: 0,
  unrouted: 0,
  delivered: 100,
  lost: 0,
  covered: 0,
  repeated: 0,
  reordered: 0,
  gaps: {},
};
const mover = { turnsDue: 100, turnsAtLimit: 0, turnsNobodyFree: 0, leftOut: 0, asked: 1_000 };
const good: Measured = {
  fault: 'none',
  settings: [],
  sessions: 10,
  controlSessions: 1,
  connectedAtEnd: 11,
  edges: 3,
  seconds: 10,
  broker: '4.0.5',
  moves: 1_000,
  movesFailed: 0,
  minMovesPerSession: 90,
  movesPerSecond: 100,
  pace: { askedPerSecond: 100, perSecond: 100, mover, processors: 0.3 },
  events: accounts,
  topics: accounts,
  repeatedOnWire: 0,
  misrouted: 0,
  closed: 0,
  disconnected: 0,
  socketlessMs: { max: 0 },
  delayMs: {
    control: none,
    moved: none,
    duringMove: none,
    controlDuring: none,
    topics: none,
    topicsDuring: none,
    move: none,
  },
  recoverySeconds: null,
  replays: { refused: 0, accepted: 0 },
  faulty: [],
};

const failuresOf = (over: Partial<Measured>, fault: keyof typeof allowedGaps = 'none') =>
  judge({ ...good, fault, ...over }, allowedGaps[fault], true).failures;

describe('the verdict on a run', () => {
  it('is good when everything held', () => {
    expect(failuresOf({})).toEqual([]);
  });

  it.each<[string, Partial<Measured>]>([
    ['no move', { moves: 0 }],
    ['a pace below what was asked for without a reason', { pace: { ...good.pace, perSecond: 50 } }],
    ['somebody who is not connected', { connectedAtEnd: 10 }],
    ['a client that ended for good', { closed: 1 }],
    ['an event of somebody else', { misrouted: 1 }],
    ['nothing published', { events: { ...accounts, published: 0 } }],
    ['nothing delivered', { topics: { ...accounts, delivered: 0 } }],
    ['an event that was not confirmed', { events: { ...accounts, failed: 1 } }],
    ['a loss', { topics: { ...accounts, lost: 1 } }],
    ['a repeat', { events: { ...accounts, repeated: 1 } }],
    ['another order', { topics: { ...accounts, reordered: 1 } }],
    ['a gap that nothing explains', { topics: { ...accounts, gaps: { 'connection-lost': 1 } } }],
    ['a ticket that was good twice', { replays: { refused: 0, accepted: 1 } }],
  ])('is bad with %s', (_, over) => {
    expect(failuresOf(over)).toHaveLength(1);
  });

  const exchanged = { seconds: 2, disconnected: 0, movesFailed: 0, moves: 200 };

  it('is good where a certificate was exchanged and nobody noticed', () => {
    expect(failuresOf({ tls: exchanged })).toEqual([]);
  });

  it.each<[string, Partial<typeof exchanged>]>([
    ['a session that lost its socket', { disconnected: 1 }],
    ['a move that failed', { movesFailed: 1 }],
    ['nobody on the move', { moves: 0 }],
  ])('is bad with %s while a certificate was exchanged', (_, over) => {
    expect(failuresOf({ tls: { ...exchanged, ...over } })).toHaveLength(1);
  });

  it('asks a fault to have happened and to be over, and takes only the gaps that it explains', () => {
    const happened = { evidence: 'seen', recoverySeconds: 2 };
    const gaps = { ...accounts, covered: 3, gaps: { 'connection-lost': 2 } };
    expect(failuresOf({ ...happened, topics: gaps }, 'kill-source')).toEqual([]);
    expect(failuresOf({ ...happened, events: gaps }, 'kill-source')).toHaveLength(1);
    expect(failuresOf({ ...happened, topics: gaps }, 'balancer-killed')).toHaveLength(1);
    expect(failuresOf({ recoverySeconds: 2 }, 'kill-source')).toEqual([
      'the fault kill-source did not happen',
    ]);
    expect(failuresOf({ evidence: 'seen' }, 'kill-source')).toHaveLength(1);
  });
});

describe('a pace below what was asked for', () => {
  const slow = { askedPerSecond: 100, perSecond: 50, mover, processors: 0.3 };

  it('is explained by what was seen: the limit, nobody free, a late process, the processors', () => {
    for (const over of [
      { mover: { ...mover, turnsAtLimit: 60 } },
      { mover: { ...mover, turnsNobodyFree: 60 } },
      { mover: { ...mover, leftOut: 1_000 } },
      { processors: 0.97 },
    ]) {
      expect(whySlower({ ...slow, ...over })).toHaveLength(1);
    }
  });

  it('is not explained by nothing', () => {
    expect(whySlower(slow)).toBeUndefined();
    expect(whySlower({ ...slow, perSecond: 0, mover: { ...mover, turnsDue: 0 } })).toBeUndefined();
  });
});
