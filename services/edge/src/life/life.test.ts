import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from './ending.js';
import { Life, type Who } from './life.js';

let nowMs: number;
let told: string[];
let ended: string[];
let outcome: Outcome | Error;
let here: Set<string>;
let life: Life;

beforeEach(() => {
  nowMs = 1_000;
  told = [];
  ended = [];
  outcome = 'ended';
  here = new Set();
  life = new Life({
    node: 'a',
    lifetimeMs: 300_000,
    maxSessionsPerUser: 64,
    endings: {
      async end({ uid, sid }, why) {
        ended.push(`${uid}.${sid} ${why}`);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
    tell: ({ what, epoch, node, reason }) =>
      void told.push([what, epoch, node, reason].filter(Boolean).join(' ')),
    isHere: (key) => here.has(key),
    steadyNow: () => nowMs,
    log: { warn: () => {} },
  });
});

const who = (epoch: number): Who => ({ uid: 'u', sid: 's', epoch });
const isNew = { isResumed: false, isMove: false };
const isResumed = { isResumed: true, isMove: false };
const isMoved = { isResumed: true, isMove: true };

/** Lets the time of whatever is due come. */
async function sweepAt(atMs: number): Promise<void> {
  nowMs = atMs;
  vi.useFakeTimers();
  life.start();
  await vi.advanceTimersByTimeAsync(1_000);
  life.stop();
  vi.useRealTimers();
}

describe('the life of a session', () => {
  it('is told in order: opened, detached, resumed, and at the end of its lifetime ended', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    life.welcomed(who(2), isResumed);
    life.lost(who(2));
    await sweepAt(300_999);
    expect(ended).toEqual([]);
    await sweepAt(301_000);
    expect(ended).toEqual(['u.s expired']);
    expect(told).toEqual(['opened 1 a', 'detached 1 a', 'resumed 2 a', 'detached 2 a', 'ended 2 a expired']);
    expect(life.away).toBe(0);
  });

  it('says nothing of a move, from here or to here', () => {
    life.welcomed(who(1), isMoved);
    expect(life.handedOver('u.s', 2, 'move')).toBe(false);
    expect(told).toEqual([]);
    expect(life.get('u.s')).toBeUndefined();
  });

  it('is resumed also where its socket was lost in the middle of a move', () => {
    life.welcomed(who(1), isMoved);
    life.lost(who(1));
    expect(life.handedOver('u.s', 2, 'move')).toBe(true);
    life.welcomed(who(2), { ...isMoved, wasAway: true });
    expect(told).toEqual(['detached 1 a', 'resumed 2 a']);
  });

  it('is detached before another edge, or a newer connection here, has it by a connection of its own', () => {
    life.welcomed(who(1), isNew);
    expect(life.handedOver('u.s', 2, 'resume')).toBe(true);
    life.welcomed(who(3), isResumed);
    life.welcomed(who(4), isResumed);
    expect(told).toEqual(['opened 1 a', 'detached 1 a', 'resumed 3 a', 'detached 3 a', 'resumed 4 a']);
  });

  it('goes on waiting for its end where a connection came and was not welcomed', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    life.lost(who(2), true);
    await sweepAt(301_000);
    expect(told).toEqual(['opened 1 a', 'detached 1 a', 'ended 2 a expired']);
  });

  it('is not ended for the sake of an older connection', async () => {
    life.welcomed(who(2), isNew);
    life.lost(who(1));
    await life.end(who(1), 'bye');
    expect(life.handedOver('u.s', 1, 'resume')).toBe(false);
    expect([told, ended]).toEqual([['opened 2 a'], []]);
  });
});

describe('the end of a session', () => {
  it('by bye comes at once, also where the queue has gone', async () => {
    life.welcomed(who(1), isNew);
    outcome = 'gone';
    await life.end(who(1), 'bye');
    expect([told, ended]).toEqual([['opened 1 a', 'ended 1 a bye'], ['u.s ended']]);
  });

  it('is tried again until it succeeds', async () => {
    life.welcomed(who(1), isNew);
    outcome = new Error('away');
    await life.end(who(1), 'bye');
    expect(told).toEqual(['opened 1 a']);
    outcome = 'ended';
    await sweepAt(nowMs + 3_000);
    expect(told).toEqual(['opened 1 a', 'ended 1 a bye']);
  });

  it('is no matter of this edge where somebody consumes the queue', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    outcome = 'taken';
    await sweepAt(400_000);
    await sweepAt(500_000);
    expect([told, ended]).toEqual([['opened 1 a', 'detached 1 a'], ['u.s expired']]);
  });

  it('waits while a connection of it attaches here', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    here.add('u.s');
    await sweepAt(400_000);
    expect(ended).toEqual([]);
  });

  it('is not this edge’s once others have the session', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    life.forget([['u.s', 0]]);
    expect(life.away).toBe(1);
    life.forget([['u.s', 2]]);
    await sweepAt(400_000);
    expect([life.away, ended]).toEqual([0, []]);
  });

  it('comes before its time, the oldest first, where its user has too many; those with a connection stay', async () => {
    for (let n = 1; n <= 66; n += 1) {
      const session = { uid: 'u', sid: `s${n}`, epoch: 1 };
      life.welcomed(session, isNew);
      if (n !== 2 && n !== 66) life.lost(session);
    }
    life.lost({ uid: 'v', sid: 's', epoch: 1 });
    await sweepAt(1_000);
    expect(ended).toEqual(['u.s1 expired', 'u.s3 expired']);
    expect(told.filter((each) => each.startsWith('ended'))).toEqual([
      'ended 1 a expired',
      'ended 1 a expired',
    ]);
    expect(life.crowdedOut).toBe(2);
  });

  it('by an operator takes all of a user’s sessions that are away from here', async () => {
    for (const sid of ['s1', 's2']) life.lost({ uid: 'u', sid, epoch: 1 });
    life.lost({ uid: 'v', sid: 's', epoch: 1 });
    life.endAway(({ uid }) => uid === 'u', 'disconnected');
    await new Promise(setImmediate);
    expect(ended.sort()).toEqual(['u.s1 ended', 'u.s2 ended']);
    expect(life.away).toBe(1);
  });

  it('by an operator waits for one whose connection has gone and that is still being let go', async () => {
    life.welcomed(who(1), isNew);
    life.lost(who(1));
    here.add('u.s');
    life.endAway(() => true, 'disconnected');
    await sweepAt(2_000);
    expect(ended).toEqual([]);
    here.delete('u.s');
    await sweepAt(3_000);
    expect(ended).toEqual(['u.s ended']);
    expect(told).toEqual(['opened 1 a', 'detached 1 a', 'ended 1 a disconnected']);
  });

  it('by an operator is forgotten where it comes back before it is let go', async () => {
    life.lost(who(1));
    here.add('u.s');
    life.endAway(() => true, 'disconnected');
    life.welcomed(who(2), isResumed);
    here.delete('u.s');
    await sweepAt(3_000);
    expect(ended).toEqual([]);
  });
});

describe('a session of an edge that is gone', () => {
  it('is told as detached there, and ended as long after the edge was last heard of as it would have been', async () => {
    life.adopted(who(1), 'b', 15_000, undefined);
    await sweepAt(285_999);
    expect(told).toEqual(['detached 1 b']);
    await sweepAt(286_000);
    expect(told).toEqual(['detached 1 b', 'ended 1 b expired']);
  });

  it('that was away already is only ended', async () => {
    life.adopted(who(1), 'b', 15_000, 100);
    await sweepAt(1_200);
    expect(told).toEqual(['ended 1 b expired']);
  });

  it('is resumed where the edge turns out to have had it all the time', () => {
    life.adopted(who(1), 'b', 15_000, undefined);
    life.forget([['u.s', 1]]);
    expect(told).toEqual(['detached 1 b', 'resumed 1 b']);
  });

  it('is left alone where a newer connection is known here', () => {
    life.welcomed(who(2), isNew);
    life.adopted(who(1), 'b', 0, undefined);
    expect(told).toEqual(['opened 2 a']);
  });
});
