import { describe, expect, test } from 'vitest';
import {
  didNotHappen,
  differences,
  disagreeing,
  type Happened,
  judgeNews,
  type Shown,
  type Told,
} from './judge.js';
import { Truth } from './truth.js';

const lateMs = 1_000;
const endMs = 100_000;
const good = {
  falseLeaves: 0,
  falseJoins: 0,
  missedLeaves: 0,
  missedJoins: 0,
  late: 0,
  excused: 0,
  examples: [],
};

/** What an observer was told: `+ann` or `-ann` at a time. */
const told = (...news: [atMs: number, what: string][]): Told[] =>
  news.map(([atMs, what]) => ({
    atMs,
    joined: what.startsWith('+') ? [what.slice(1)] : [],
    left: what.startsWith('-') ? [what.slice(1)] : [],
  }));

/** Ann is in from 1,000 on, the observer from 0 on. */
function annIsIn(): Truth {
  const truth = new Truth(lateMs);
  truth.enters('observer', '1', 'o', 0);
  truth.entered('observer', 10);
  truth.enters('ann', '1', 'a', 1_000);
  truth.entered('ann', 1_100);
  return truth;
}
const judged = (truth: Truth, ...news: [number, string][]) =>
  judgeNews(told([10, '+observer'], ...news), truth.lives(), endMs, lateMs);

describe('what an observer was told', () => {
  test('is right where each coming and going was told once and in time', () => {
    const truth = annIsIn();
    truth.leaves('ann', '1', 5_000);
    expect(judged(truth, [1_050, '+ann'], [5_200, '-ann'])).toMatchObject({
      ...good,
      joined: 2,
      left: 1,
      slowestMs: 200,
    });
  });

  test('a leave of somebody who has not left is false, and the return from it no fault of its own', () => {
    expect(judged(annIsIn(), [1_050, '+ann'], [3_000, '-ann'], [3_100, '+ann'])).toMatchObject({
      ...good,
      falseLeaves: 1,
      examples: ['ann, 3.0 s after its first news: left, and had not gone'],
    });
  });

  test('a leave before the grace is over is false, and then not missed as well', () => {
    const truth = annIsIn();
    truth.leaves('ann', '1', 7_000);
    expect(judged(truth, [1_050, '+ann'], [6_000, '-ann'])).toMatchObject({
      falseLeaves: 1,
      missedLeaves: 0,
    });
  });

  test('a join of somebody who is there already, or who never came, is false', () => {
    expect(judged(annIsIn(), [1_050, '+ann'], [2_000, '+ann'])).toMatchObject({ falseJoins: 1 });
    expect(judged(annIsIn(), [1_050, '+ann'], [2_000, '+bob'])).toMatchObject({ falseJoins: 1 });
  });

  test('what was not told is missed, and what was told after its time is late', () => {
    const truth = annIsIn();
    truth.leaves('ann', '1', 5_000);
    expect(judged(truth)).toMatchObject({ missedJoins: 1, missedLeaves: 1 });
    expect(judged(truth, [1_050, '+ann'])).toMatchObject({ missedJoins: 0, missedLeaves: 1 });
    expect(judged(truth, [1_050, '+ann'], [6_500, '-ann'])).toMatchObject({
      falseLeaves: 0,
      missedLeaves: 0,
      late: 1,
    });
  });

  test('is judged from its first news on', () => {
    const truth = annIsIn();
    truth.leaves('ann', '1', 5_000);
    truth.enters('bob', '1', 'b', 1_000);
    truth.entered('bob', 1_100);
    expect(
      judgeNews(told([20_000, '+bob'], [20_000, '+observer']), truth.lives(), endMs, lateMs),
    ).toMatchObject({
      ...good,
      joined: 2,
    });
  });

  test('a session that was away too long may be told to have left; one that was back in time may not', () => {
    const truth = annIsIn();
    truth.away('ann', '1', 10_000, 2_000);
    expect(truth.back('ann', '1', 13_000)).toBe(false);
    truth.away('ann', '1', 20_000, 2_000);
    expect(truth.back('ann', '1', 21_000)).toBe(true);
    expect(judged(truth, [1_050, '+ann'], [12_500, '-ann'], [13_100, '+ann'])).toMatchObject({
      ...good,
      excused: 1,
    });
    expect(judged(truth, [1_050, '+ann'], [20_500, '-ann'], [21_100, '+ann'])).toMatchObject({
      falseLeaves: 1,
    });
  });
});

describe('the truth', () => {
  test('a user with two sessions leaves with the last of them, at the latest time of both', () => {
    const truth = annIsIn();
    truth.enters('ann', '2', 'a', 2_000);
    expect(truth.members().get('ann')).toEqual({ sessions: 2, info: 'a' });
    truth.leaves('ann', '1', 9_000);
    expect(truth.members().get('ann')?.sessions).toBe(1);
    truth.leaves('ann', '2', 5_000);
    expect(truth.members().has('ann')).toBe(false);
    expect(truth.lives().get('ann')?.turns.at(-1)).toEqual({ isHere: false, fromMs: 9_000, byMs: 10_000 });
  });

  test('who leaves while away is not waited for', () => {
    const truth = annIsIn();
    truth.away('ann', '1', 3_000, 1_000);
    expect(truth.awaited).toBe(1);
    truth.leaves('ann', '1', 3_500);
    expect([truth.awaited, truth.back('ann', '1', 9_000)]).toEqual([0, undefined]);
  });
});

describe('a view', () => {
  const members = new Map([
    ['ann', { sessions: 2, info: { name: 'Ann' } }],
    ['bob', { sessions: 1, info: undefined }],
  ]);

  test('is right where it has everybody once, with their sessions and what they say of themselves', () => {
    const ann = { user: 'ann', info: { name: 'Ann' } };
    expect(
      differences(
        [
          { user: 'bob', sessions: 1 },
          { ...ann, sessions: 2 },
        ],
        members,
      ),
    ).toEqual([]);
    expect(differences([{ user: 'bob' }, ann], members)).toEqual([]);
  });

  test('each way to be wrong is told', () => {
    const found = differences(
      [{ user: 'ann', sessions: 1 }, { user: 'ann', sessions: 2, info: { name: 'Ann' } }, { user: 'cid' }],
      members,
    );
    expect(found).toEqual([
      'ann has 2 sessions, not 1',
      'ann says something else',
      'ann twice',
      'cid is not there',
      'bob is missing',
    ]);
  });
});

test('observers that are answered different things are told apart, in whatever order the users come', () => {
  const ann: Shown = { user: 'ann', sessions: 1 };
  const bob: Shown = { user: 'bob', sessions: 2 };
  const answered = (...others: [string, Shown[]][]) =>
    disagreeing(new Map<string, readonly Shown[]>([['one', [ann, bob]], ...others]));
  expect(answered(['two', [bob, ann]])).toEqual([]);
  expect(answered(['two', [ann]], ['three', [ann, { ...bob, sessions: 1 }]])).toEqual(['two', 'three']);
});

describe('what has to have happened', () => {
  const kill = { node: 'edge-3', members: 20, returned: 12, late: 2, gone: 6 };
  const all: Happened = {
    moves: 1_003,
    movesWanted: 1_000,
    reloads: 100,
    reloadsInTime: 99,
    leaves: { unsubscribe: 3, bye: 3, loss: 3 },
    kills: [kill],
    observersOn: [['edge-1', 'edge-2', 'edge-3']],
  };

  test('has happened', () => {
    expect(didNotHappen(all)).toEqual([]);
  });

  test.each<[string, Partial<Happened>]>([
    ['too few moves', { moves: 999 }],
    ['no reload', { reloads: 0, reloadsInTime: 0 }],
    ['reloads that took too long', { reloadsInTime: 49 }],
    ['a way to leave that nobody took', { leaves: { unsubscribe: 3, bye: 0, loss: 3 } }],
    ['no kill', { kills: [] }],
    ['an edge killed that had nobody', { kills: [{ ...kill, members: 0 }] }],
    ['nobody who came back in time', { kills: [{ ...kill, returned: 0 }] }],
    ['nobody who stayed away', { kills: [{ ...kill, gone: 0 }] }],
    ['two observers on one edge', { observersOn: [['edge-1', 'edge-1', 'edge-3']] }],
    ['nobody who has looked', { observersOn: [] }],
  ])('%s is not enough', (_, wrong) => {
    expect(didNotHappen({ ...all, ...wrong })).toHaveLength(1);
  });
});
