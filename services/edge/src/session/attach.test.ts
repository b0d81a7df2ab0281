import type { TicketClaims } from '@evenkeel/ticket';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeHandover, FakeQueue, settled } from '../../testing/session-world.js';
import { type AcquireOptions, acquire, missedBy, missedOfTopics } from './attach.js';

function make(claims: Partial<TicketClaims>, over: Partial<AcquireOptions> = {}) {
  const calls: string[] = [];
  const queue = new FakeQueue(calls);
  const handover = new FakeHandover(calls);
  const ticket = { id: 't', uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: 1, ...claims };
  const options: AcquireOptions = {
    claims: ticket,
    queue,
    handover,
    node: 'edge-1',
    maxLength: 100,
    predecessor: undefined,
    onDoubt: (topics) => calls.push(`doubt ${topics}`),
    isLive: () => true,
    ...over,
  };
  return { calls, queue, handover, acquired: () => acquire(options) };
}

const resumed = { isResumed: true, isOverflowed: false };

describe('a new session', () => {
  it('has its queue made, and nothing else is asked or looked for', async () => {
    const { calls, acquired } = make({ isNew: true, from: 'edge-2' });
    expect(await acquired()).toEqual({ isResumed: false, isOverflowed: false, suspect: 0 });
    expect(calls).toEqual(['make']);
  });
});

describe('a moved session', () => {
  it('is taken as soon as its holder has released it, without a look at the queue', async () => {
    const { calls, handover, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3 };
    expect(await acquired()).toEqual({ ...resumed, suspect: 3 });
    expect(calls).toEqual(['ask edge-2']);
  });

  it('whose window was full has its queue looked at: it may have overflowed', async () => {
    const { calls, queue, handover, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, isFull: true };
    queue.counts = { messages: 100, consumers: 0 };
    expect(await acquired()).toEqual({ isResumed: true, isOverflowed: true, suspect: 3 });
    expect(calls).toEqual(['ask edge-2', 'check', 'make']);
  });
});

describe('a session that comes back', () => {
  it('is asked for at every node of its ticket but this one, each once, four at most', async () => {
    const { calls, acquired } = make({ from: 'edge-2,edge-1,edge-3,edge-2,,edge-4,edge-5,edge-6' });
    await acquired();
    expect(calls.filter((call) => call.startsWith('ask'))).toEqual([
      'ask edge-2',
      'ask edge-3',
      'ask edge-4',
      'ask edge-5',
    ]);
  });

  it('is bound again also when its queue is found, since its first edge may have died before it bound it', async () => {
    const { calls, acquired } = make({ from: 'edge-2' });
    expect(await acquired()).toEqual({ ...resumed, suspect: undefined });
    expect(calls).toEqual(['ask edge-2', 'check', 'make']);
  });

  it('is not resumed when its queue is gone', async () => {
    const { queue, acquired } = make({});
    queue.counts = undefined;
    expect(await acquired()).toEqual({ isResumed: false, isOverflowed: false, suspect: 0 });
  });

  it('was held here: nobody else is asked, and what was written here is suspect', async () => {
    const { calls, acquired } = make({ from: 'edge-2' }, { predecessor: { suspect: 2 } });
    expect(await acquired()).toEqual({ ...resumed, suspect: 2 });
    expect(calls).toEqual(['check', 'make']);
  });

  it.each([
    ['refused', 'stale-ticket'],
    ['silent', 'takeover-failed'],
  ] as const)('cannot be had where its holder is %s', async (outcome, code) => {
    const { calls, handover, acquired } = make({ from: 'edge-2,edge-3' });
    handover.answers['edge-2'] = { outcome: 'released' };
    handover.answers['edge-3'] = { outcome };
    await expect(acquired()).rejects.toMatchObject({ name: 'AttachError', code });
    expect(calls).not.toContain('make');
  });

  it('is searched for among all edges when its queue has a consumer that the ticket does not name', async () => {
    const { calls, queue, handover, acquired } = make({ from: 'edge-2' });
    queue.counts = { messages: 0, consumers: 1 };
    handover.searched = { outcome: 'released', suspect: 4 };
    expect(await acquired()).toEqual({ ...resumed, suspect: 4 });
    expect(calls).toEqual(['ask edge-2', 'check', 'make', 'search']);
  });

  it('waits its turn behind a consumer that nobody answers for, and goes by the broker’s flags', async () => {
    const { queue, acquired } = make({}, { predecessor: { suspect: 1 } });
    queue.counts = { messages: 0, consumers: 1 };
    expect(await acquired()).toEqual({ ...resumed, suspect: undefined });
  });

  it('cannot be had where an edge that was found has a newer connection', async () => {
    const { queue, handover, acquired } = make({});
    queue.counts = { messages: 0, consumers: 1 };
    handover.searched = { outcome: 'refused' };
    await expect(acquired()).rejects.toMatchObject({ code: 'stale-ticket' });
  });

  it('is left alone once nobody wants it any more', async () => {
    const { calls, acquired } = make({ from: 'edge-2' }, { isLive: () => false });
    await acquired();
    expect(calls).toEqual(['ask edge-2']);
  });

  describe('from an edge that is dead', () => {
    afterEach(() => void vi.useRealTimers());

    it('is looked at only when the broker has had time to put its messages back', async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const { calls, handover, acquired } = make({ from: 'edge-2' });
      handover.answers['edge-2'] = { outcome: 'unreachable' };
      const found = acquired();
      await settled();
      expect(calls).toEqual(['ask edge-2']);
      await vi.advanceTimersByTimeAsync(100);
      expect(await found).toEqual({ ...resumed, suspect: undefined });
      expect(calls).toEqual(['ask edge-2', 'check', 'make']);
    });
  });
});

describe('what a client may have missed', () => {
  const limits = { ackTimeoutMs: 60_000, sessionLifetimeMs: 300_000 };
  const found = { isResumed: true, isOverflowed: false, suspect: 0 };

  it.each([
    ['nothing, where it was never here before', {}, { ...found, isResumed: false }, []],
    [
      'its events, where the queue is gone',
      { resume: true },
      { ...found, isResumed: false },
      ['session-expired'],
    ],
    ['nothing, where it comes back in time', { resume: true }, found, []],
    ['the oldest events, of a full queue', {}, { ...found, isOverflowed: true }, ['overflow']],
    ['nothing, at the last moment', { awayMs: 239_999 }, found, []],
    ['events that expired, after a long absence', { awayMs: 240_000 }, found, ['expired']],
  ] as const)('%s', (_what, hello, how, events) => {
    expect(missedBy({ t: 'hello', ...hello }, how, limits)).toEqual(events);
  });

  it('messages of its topics after a loss, none in a move or at its first coming', () => {
    expect(missedOfTopics({ t: 'hello', resume: true }, false)).toBe('connection-lost');
    expect(missedOfTopics({ t: 'hello', resume: true }, true)).toBeUndefined();
    expect(missedOfTopics({ t: 'hello' }, false)).toBeUndefined();
  });
});
