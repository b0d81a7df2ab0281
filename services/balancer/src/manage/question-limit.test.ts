import { expect, it } from 'vitest';
import { QuestionLimit, questionsBurst, questionsPerSecond, refusalsBurst } from './question-limit.js';

it('takes a burst of questions of each user, then so many a second', () => {
  const limit = new QuestionLimit();
  const taken = (user: string, nowMs: number) => {
    let count = 0;
    while (limit.tryTake({ user }, nowMs)) count += 1;
    return count;
  };
  expect(taken('ann', 0)).toBe(questionsBurst);
  expect(taken('bob', 0)).toBe(questionsBurst);
  expect(taken('ann', 1_000)).toBe(questionsPerSecond);
});

it('remembers 1,000 users, and forgets those that are silent longest', () => {
  const limit = new QuestionLimit();
  for (let n = 0; n < questionsBurst; n += 1) limit.tryTake({ user: 'ann' }, 0);
  for (let n = 0; n < 999; n += 1) limit.tryTake({ user: `u${n}` }, 0);
  expect(limit.tryTake({ user: 'ann' }, 0)).toBe(false);
  for (let n = 0; n < 1_000; n += 1) limit.tryTake({ user: `v${n}` }, 0);
  expect(limit.tryTake({ user: 'ann' }, 0)).toBe(true);
});

it('who asks by the console uses up nothing of others who do', () => {
  const limit = new QuestionLimit();
  const of = (onBehalfOf: string) => limit.tryTake({ user: 'console', onBehalfOf }, 0);
  for (let n = 0; n < questionsBurst; n += 1) of('ann');
  expect([of('ann'), of('bob'), limit.tryTake({ user: 'console' }, 0)]).toEqual([false, true, true]);
});

it('has another rate where it is told one', () => {
  const limit = new QuestionLimit(1, refusalsBurst);
  let count = 0;
  while (limit.tryTake({ user: 'ann' }, 0)) count += 1;
  expect(count).toBe(refusalsBurst);
});
