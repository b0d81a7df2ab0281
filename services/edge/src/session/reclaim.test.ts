import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeHandover, FakeQueue } from '../../testing/session-world.js';
import { isTaken } from './reclaim.js';

function make(outcomes: ('unknown' | 'refused' | 'released')[], consumers: (number | undefined)[]) {
  const calls: string[] = [];
  const queue = new FakeQueue(calls);
  const handover = new FakeHandover(calls);
  const options = {
    claims: { id: 't', uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: 1 },
    handover: {
      search: () => {
        handover.searched = { outcome: outcomes.shift() ?? 'unknown' };
        return handover.search();
      },
    },
    queue: {
      check: () => {
        const count = consumers.shift();
        queue.failure = count === undefined ? new Error('away') : undefined;
        queue.counts = { messages: 0, consumers: count ?? 0 };
        return queue.check();
      },
    },
    ownConsumers: () => 1,
    isLive: () => calls.length < 20,
  };
  return { calls, options };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a session whose queue has a consumer after the broker was away', () => {
  it('is taken when another edge answers that it has a newer connection', async () => {
    expect(await isTaken(make(['refused'], []).options)).toBe(true);
  });

  it('is kept when another edge lets it go', async () => {
    expect(await isTaken(make(['released'], []).options)).toBe(false);
  });

  it('is kept when the only consumer is its own', async () => {
    const { calls, options } = make(['unknown'], [1]);
    expect(await isTaken(options)).toBe(false);
    expect(calls).toEqual(['search', 'check']);
  });

  it('is asked for again while the queue has another consumer or cannot be looked at, until somebody answers', async () => {
    const { calls, options } = make(['unknown', 'unknown', 'refused'], [2, undefined]);
    const taken = isTaken(options);
    await vi.advanceTimersByTimeAsync(499);
    expect(calls).toEqual(['search', 'check']);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toEqual(['search', 'check', 'search', 'check']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await taken).toBe(true);
    expect(calls).toEqual(['search', 'check', 'search', 'check', 'search']);
  });

  it('is asked for less and less often, and not any more once it is on its way out', async () => {
    const { calls, options } = make([], new Array(20).fill(2));
    const taken = isTaken(options);
    await vi.advanceTimersByTimeAsync(500 + 1_000 + 2_000 + 4_000 + 5_000);
    expect(calls.filter((call) => call === 'search')).toHaveLength(6);
    await vi.advanceTimersByTimeAsync(5_000 * 5);
    expect(await taken).toBe(false);
    expect(calls).toHaveLength(20);
    expect(vi.getTimerCount()).toBe(0);
  });
});
