import { expect, it } from 'vitest';
import { QuestionLimit, questionsBurst, questionsPerSecond } from './question-limit.js';

it('takes a burst of questions of each user, then so many a second', () => {
  const limit = new QuestionLimit();
  const taken = (user: string, nowMs: number) => {
    let count = 0;
    while (limit.tryTake(user, nowMs)) count += 1;
    return count;
  };
  expect(taken('ann', 0)).toBe(questionsBurst);
  expect(taken('bob', 0)).toBe(questionsBurst);
  expect(taken('ann', 1_000)).toBe(questionsPerSecond);
});

it('remembers 1,000 users, and forgets those that are silent longest', () => {
  const limit = new QuestionLimit();
  for (let n = 0; n < questionsBurst; n += 1) limit.tryTake('ann', 0);
  for (let n = 0; n < 999; n += 1) limit.tryTake(`u${n}`, 0);
  expect(limit.tryTake('ann', 0)).toBe(false);
  for (let n = 0; n < 1_000; n += 1) limit.tryTake(`v${n}`, 0);
  expect(limit.tryTake('ann', 0)).toBe(true);
});
