import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AnswerClock, AskingPace } from './answer-clock.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('asks one after the other while anybody wants to know, and no longer', async () => {
  let asked = 0;
  const clock = new AnswerClock(
    async () => {
      asked += 1;
    },
    new AskingPace(50),
    2,
  );
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
    new AskingPace(50),
    2,
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

it('those that share a pace keep to its limit together', async () => {
  const pace = new AskingPace(50, 200);
  let asked = 0;
  const clocks = Array.from(
    { length: 100 },
    () =>
      new AnswerClock(
        async () => {
          asked += 1;
        },
        pace,
        2,
      ),
  );
  const want = setInterval(() => {
    for (const clock of clocks) clock.wanted();
  }, 10);
  await vi.advanceTimersByTimeAsync(1_000);
  asked = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  clearInterval(want);
  expect(asked).toBeGreaterThan(1_800);
  expect(asked).toBeLessThanOrEqual(2_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([pace.running, pace.everyMs]).toEqual([0, 50]);
});
