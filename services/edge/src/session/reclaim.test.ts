import { describe, expect, it } from 'vitest';
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
    expect(await isTaken(options)).toBe(true);
    expect(calls).toEqual(['search', 'check', 'search', 'check', 'search']);
  });

  it('is not asked for any more once it is on its way out', async () => {
    const { calls, options } = make([], [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    expect(await isTaken(options)).toBe(false);
    expect(calls).toHaveLength(20);
  });
});
