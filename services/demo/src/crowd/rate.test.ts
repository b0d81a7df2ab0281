import { expect, it } from 'vitest';
import { Rate } from './rate.js';

it('the rate is that of the last samples', () => {
  const rate = new Rate();
  expect(rate.perSecond()).toBe(0);
  for (let i = 0; i <= 20; i++) rate.sample(i < 10 ? 0 : (i - 10) * 50, i * 500);
  expect(rate.perSecond()).toBe(100);
});
