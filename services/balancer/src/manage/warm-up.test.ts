import { expect, it } from 'vitest';
import { warmedUp, warmUpWaitOf } from './warm-up.js';

it('what asks every edge waits until all are known, and leaves edges a second to answer', () => {
  for (const command of ['where', 'session', 'disconnect', 'forget'] as const) {
    expect(warmUpWaitOf({ command }, Number.POSITIVE_INFINITY)).toBe(4_000);
    expect(warmUpWaitOf({ command }, 3_500)).toBe(2_500);
    expect(warmUpWaitOf({ command }, 900)).toBe(0);
  }
});

it('what moves sessions waits as long as its sender does, and nothing else waits', () => {
  expect(warmUpWaitOf({ command: 'drain' }, 10_000)).toBe(4_000);
  expect(warmUpWaitOf({ command: 'rebalance' }, 900)).toBe(900);
  for (const command of ['status', 'node', 'cordon', 'deny'] as const)
    expect(warmUpWaitOf({ command }, 10_000)).toBe(0);
});

it('the wait ends once all are known, and else with its time', async () => {
  let looks = 0;
  await warmedUp(() => ++looks > 1, 10_000);
  expect(looks).toBe(2);
  await warmedUp(() => false, 0);
});
