import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { NamePace } from './name-pace.js';

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

function make(topicsPerSecond: number, topicsBurst: number, maxTopics = 1_000) {
  const state = { isBusy: false };
  const taken: string[] = [];
  const pace = new NamePace({
    topicsPerSecond,
    topicsBurst,
    maxSocketsPerUser: 2,
    maxTopics,
    isBusy: () => state.isBusy,
    now: () => Date.now(),
  });
  onTestFinished(() => pace.stop());
  const ask = (uid: string, name: string, isNeeded = true) =>
    pace.turn(
      uid,
      () => void taken.push(name),
      () => isNeeded,
    );
  return { state, taken, pace, ask };
}

it('new topics are bound at once while there are few, and then at the pace', () => {
  const { taken, pace, ask } = make(100, 3);
  for (let n = 1; n <= 8; n += 1) ask('a', `${n}`);
  expect(taken).toEqual(['1', '2', '3']);
  vi.advanceTimersByTime(20);
  expect(taken).toEqual(['1', '2', '3', '4', '5']);
  vi.advanceTimersByTime(100);
  expect([taken.length, pace.waiting, vi.getTimerCount()]).toEqual([8, 0, 0]);
});

it('users take turns, so that one who asks for many holds nobody else up', () => {
  const { taken, ask } = make(100, 1);
  for (let n = 0; n < 50; n += 1) ask('flood', `f${n}`);
  ask('b', 'b1');
  ask('c', 'c1');
  vi.advanceTimersByTime(80);
  expect(taken).toEqual(['f0', 'f1', 'b1', 'c1', 'f2']);
});

it('what nobody wants any more takes no turn', () => {
  const { taken, ask } = make(50, 1);
  ask('a', '1');
  for (let n = 0; n < 50; n += 1) ask('a', 'left', false);
  ask('a', '2');
  vi.advanceTimersByTime(20);
  expect(taken).toEqual(['1', '2']);
});

it('sessions that attach come first, and do not stop topics, for which some of them wait', () => {
  const { state, taken, ask } = make(1_000, 1_000);
  state.isBusy = true;
  for (let n = 0; n < 100; n += 1) ask('a', `${n}`);
  expect(taken).toHaveLength(0);
  vi.advanceTimersByTime(100);
  expect(taken).toHaveLength(5);
  state.isBusy = false;
  vi.advanceTimersByTime(20);
  expect(taken).toHaveLength(100);
});

it('of one user no more wait than its sockets may have, and those that nobody waits for make room', () => {
  const { taken, pace, ask } = make(1_000, 1, 2);
  expect(ask('a', 'first')).toBe(true);
  for (let n = 0; n < 100; n += 1) expect(ask('a', 'left', false)).toBe(true);
  for (let n = 1; n <= 4; n += 1) expect(ask('a', `${n}`)).toBe(true);
  expect([ask('a', 'one too many'), ask('b', 'another user')]).toEqual([false, true]);
  expect(pace.waiting).toBe(5);
  vi.advanceTimersByTime(200);
  expect(taken).toEqual(['first', '1', 'another user', '2', '3', '4']);
});
