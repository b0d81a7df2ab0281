import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AnswerClock } from './answer-clock.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('asks one after the other while anybody wants to know, and no longer', async () => {
  let asked = 0;
  const clock = new AnswerClock(async () => {
    asked += 1;
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toBe(0);
  clock.wanted();
  clock.wanted();
  await vi.advanceTimersByTimeAsync(50);
  expect([asked, clock.ticks]).toEqual([1, 1]);
  clock.wanted();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([asked, clock.ticks]).toEqual([3, 3]);
});

it('a slow way makes it slow, and the end of the channel ends it', async () => {
  const answers: ((error?: Error) => void)[] = [];
  const clock = new AnswerClock(
    () =>
      new Promise((resolve, reject) => answers.push((error) => (error ? reject(error) : resolve(undefined)))),
  );
  clock.wanted();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([answers.length, clock.ticks]).toEqual([1, 0]);
  answers[0]?.();
  await vi.advanceTimersByTimeAsync(50);
  expect([answers.length, clock.ticks]).toEqual([2, 1]);
  answers[1]?.(new Error('gone'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect([answers.length, clock.ticks]).toEqual([2, 1]);
});
