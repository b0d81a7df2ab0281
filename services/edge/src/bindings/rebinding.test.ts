import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Entry } from '../life/life.js';
import { Rebinding } from './rebinding.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world(options: { fails?: (key: string) => boolean; younger?: ReadonlySet<string> } = {}) {
  const entries = new Map<string, Entry>();
  const bound: string[] = [];
  let histories = 0;
  const add = (sid: string) => entries.set(`u.${sid}`, { uid: 'u', sid, epoch: 1, away: undefined } as Entry);
  const rebinding = new Rebinding({
    life: { keys: () => entries.keys(), get: (key) => entries.get(key) },
    bindSession: async ({ sid }) => {
      if (options.fails?.(sid)) throw new Error('not now');
      bound.push(sid);
      return true;
    },
    streams: new Map([
      [
        'room',
        {
          bindAgain: async () => {
            histories += 1;
          },
        },
      ],
      [
        'ill',
        {
          bindAgain: async () => {
            if (options.fails?.('ill')) throw new Error('not now');
          },
        },
      ],
    ]),
    isYounger: (key) => options.younger?.has(key) === true,
    now: () => Date.now(),
    log: { warn: () => {} },
  });
  return { rebinding, add, entries, bound, histories: () => histories };
}

it('binds each session once, those as well that come within 30 s, and nothing after that', async () => {
  const { rebinding, add, bound, histories } = world();
  add('a');
  add('b');
  rebinding.begin();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(bound.sort()).toEqual(['a', 'b']);
  add('c');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bound.sort()).toEqual(['a', 'b', 'c']);
  add('d');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bound).not.toContain('d');
  expect([rebinding.rebound, histories()]).toEqual([3, 1]);
  expect(vi.getTimerCount()).toBe(0);
});

it('tries again what fails, for as long as it takes', async () => {
  let isWell = false;
  const { rebinding, add, bound, histories } = world({ fails: () => !isWell });
  add('a');
  expect(rebinding.owesHistory).toBe(false);
  rebinding.begin();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(rebinding.owesHistory).toBe(true);
  await vi.advanceTimersByTimeAsync(30_000);
  expect([bound, histories()]).toEqual([[], 1]);
  isWell = true;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(bound).toEqual(['a']);
  expect(vi.getTimerCount()).toBe(0);
});

it('leaves sessions alone whose queues were made since, also once their sockets are lost', async () => {
  const younger = new Set(['u.new']);
  const { rebinding, add, bound } = world({ younger });
  add('new');
  rebinding.begin();
  await vi.advanceTimersByTimeAsync(1_000);
  younger.clear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bound).toEqual([]);
});

it('begins anew when bindings go once more meanwhile', async () => {
  const { rebinding, add, bound } = world();
  add('a');
  rebinding.begin();
  await vi.advanceTimersByTimeAsync(1_000);
  rebinding.begin();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(bound).toEqual(['a', 'a']);
  rebinding.stop();
});

it('has a session told once, whether it or somebody else comes upon its queue first', async () => {
  const { rebinding, add, bound } = world();
  add('a');
  add('b');
  rebinding.begin();
  let isThere: (hasQueue: boolean) => void = () => {};
  const first = rebinding.once('u.c', () => new Promise((resolve) => (isThere = resolve)));
  const second = rebinding.once('u.c', async () => expect.unreachable());
  await vi.advanceTimersByTimeAsync(0);
  isThere(true);
  expect(await Promise.all([first, second])).toEqual([true, true]);
  add('c');
  expect([rebinding.owes('u.c'), rebinding.owes('u.d')]).toEqual([false, true]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bound.sort()).toEqual(['a', 'b']);
});

it('sees to a session again whose first try has failed', async () => {
  const { rebinding } = world();
  rebinding.begin();
  const failing = rebinding.once('u.a', () => Promise.reject(new Error('not now')));
  await expect(failing).rejects.toThrow('not now');
  expect(rebinding.owes('u.a')).toBe(true);
  expect(await rebinding.once('u.a', async () => false)).toBe(false);
  expect(rebinding.owes('u.a')).toBe(false);
  rebinding.stop();
});
