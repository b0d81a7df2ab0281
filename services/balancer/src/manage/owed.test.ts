import type { Denied } from '@evenkeel/mesh';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { Owed } from './owed.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const denial = (n: number): Denied => ({ user: `u${n}`, untilMs: 5_000 });
const denialsOf = (count: number) => Array.from({ length: count }, (_, n) => denial(n));

function balancer(leads = true) {
  const state = {
    leads,
    /** Users who have been let in since then. */
    allowed: new Set<string | undefined>(),
    lag: undefined as string | undefined,
    fails: false,
    written: [] as (string | undefined)[],
    atOnce: 0,
    most: 0,
  };
  const owed = new Owed({
    denials: { holds: ({ user }) => !state.allowed.has(user), lag: () => state.lag },
    mayWrite: () => state.leads,
    restore: async ({ user }) => {
      state.atOnce += 1;
      state.most = Math.max(state.most, state.atOnce);
      await Promise.resolve();
      state.atOnce -= 1;
      if (state.fails) throw new Error('not confirmed');
      state.written.push(user);
    },
    log: { warn() {} },
  });
  owed.start();
  onTestFinished(() => owed.stop());
  return Object.assign(state, { owed });
}
const seconds = (n: number) => vi.advanceTimersByTimeAsync(n * 1_000);

it('writes all that the stream has lost, one at a time and 500 a second', async () => {
  const leader = balancer();
  leader.owed.add(denialsOf(1_200));
  await seconds(2);
  expect([leader.written.length, leader.most]).toEqual([500, 1]);
  await seconds(2);
  expect([leader.written.length, leader.most, leader.owed.size]).toEqual([1_200, 1, 0]);
  await seconds(3);
  expect(leader.written).toHaveLength(1_200);
});

it('keeps them in a balancer that does not lead, and writes them when it does', async () => {
  const follower = balancer(false);
  follower.owed.add(denialsOf(3));
  await seconds(10);
  expect([follower.written, follower.owed.size]).toEqual([[], 3]);
  // The leader before it has got so far.
  follower.owed.told({ kind: 'deny', id: 'r', atMs: 0, user: 'u0', untilMs: 5_000 });
  follower.leads = true;
  await seconds(2);
  expect(follower.written).toEqual(['u1', 'u2']);
});

it('writes nothing while the stream is not read: who was let in there is not known', async () => {
  const leader = balancer();
  leader.lag = 'no new denials';
  leader.owed.add(denialsOf(1));
  await seconds(5);
  expect(leader.written).toEqual([]);
  leader.lag = undefined;
  await seconds(2);
  expect(leader.written).toEqual(['u0']);
});

it('does not undo what has been allowed since then, or is being allowed', async () => {
  const leader = balancer();
  leader.owed.add(denialsOf(3));
  leader.allowed.add('u0');
  expect(leader.owed.take(({ user }) => user === 'u1')).toEqual([denial(1)]);
  await seconds(3);
  expect([leader.written, leader.owed.size]).toEqual([['u2'], 0]);
});

it('tries again what could not be written', async () => {
  const leader = balancer();
  leader.fails = true;
  leader.owed.add(denialsOf(2));
  await seconds(5);
  expect([leader.written, leader.owed.size]).toEqual([[], 2]);
  leader.fails = false;
  await seconds(1);
  expect([leader.written, leader.owed.size]).toEqual([['u0', 'u1'], 0]);
});
