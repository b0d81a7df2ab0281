import { BrokerError } from '@evenkeel/broker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Leftovers } from './leftovers.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make() {
  const down = new Set<string>();
  const inUse = new Set<string>();
  const deleted: string[] = [];
  const topology = {
    async deleteUnusedQueue(name: string) {
      if (down.has(name)) throw new BrokerError('queue-down', 'its node is down');
      if (inUse.has(name)) throw new BrokerError('topology-refused', 'it is in use');
      deleted.push(name);
    },
  };
  return { down, inUse, deleted, leftovers: new Leftovers({ topology }) };
}

it('queues that were left behind are deleted once their node is back, whichever is first', async () => {
  const { down, deleted, leftovers } = make();
  const names = Array.from({ length: 20 }, (_, n) => `q${n}`);
  for (const name of names) down.add(name);
  for (const name of names) leftovers.add(name);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(deleted).toEqual([]);
  for (const name of names.slice(10)) down.delete(name);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(deleted.toSorted()).toEqual(names.slice(10).toSorted());
  down.clear();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(deleted.toSorted()).toEqual(names.toSorted());
  expect(leftovers.size).toBe(0);
});

it('a queue that is consumed is left alone', async () => {
  const { inUse, deleted, leftovers } = make();
  inUse.add('q');
  leftovers.add('q');
  await vi.advanceTimersByTimeAsync(5_000);
  expect(deleted).toEqual([]);
  expect(leftovers.size).toBe(0);
});
