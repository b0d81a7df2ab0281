import { expect, it } from 'vitest';
import { AwayQuestions } from './away.js';

it('a user who is away is asked 64 times, and again once nothing of it waits', () => {
  const away = new AwayQuestions();
  const may = (times: number, uid = 'u', isAway = true) =>
    Array.from({ length: times }, () => away.mayAsk(uid, isAway)).filter(Boolean).length;
  expect([may(70), may(70, 'v'), may(1, 'u'), may(3, 'u', false), may(70)]).toEqual([64, 64, 0, 3, 64]);
});

it('10,000 users are remembered, those that were asked last', () => {
  const away = new AwayQuestions();
  for (let n = 0; n < 64; n += 1) away.mayAsk('first', true);
  for (let n = 0; n < 10_000; n += 1) away.mayAsk(`u${n}`, true);
  expect(away.mayAsk('first', true)).toBe(true);
});
