import type { TicketClaims } from '@evenkeel/ticket';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeHandover, FakeQueue, settled } from '../../testing/session-world.js';
import { type AcquireOptions, acquire, missedOfTopics } from './attach.js';
import { Entrance } from './entrance.js';
import type { Vouch } from './vouch.js';

function make(claims: Partial<TicketClaims>, over: Partial<AcquireOptions> = {}) {
  const calls: string[] = [];
  const queue = new FakeQueue(calls);
  const handover = new FakeHandover(calls);
  const ticket = { id: 't', uid: 'alice', sid: 's', node: 'edge-1', epoch: 1, expiresAt: 1, ...claims };
  const vouches: Vouch[] = [];
  const options: AcquireOptions = {
    claims: ticket,
    hello: { resume: true },
    queue,
    handover,
    entrance: new Entrance(() => 0),
    node: 'edge-1',
    limits,
    predecessor: undefined,
    onDoubt: (topics) => calls.push(`doubt ${topics}`),
    onReleased: () => {},
    begin: (vouch) => void vouches.push(vouch),
    isLive: () => true,
    ...over,
  };
  return { calls, queue, handover, vouches, acquired: () => acquire(options) };
}

const limits = {
  sessionMaxLength: 100,
  ackTimeoutMs: 60_000,
  sessionLifetimeMs: 300_000,
  takeoverTimeoutMs: 30_000,
};
const resumed = { isResumed: true, missed: undefined };
const seal = { name: 'x', behind: 0 };

describe('a new session', () => {
  it('has its queue made, and nothing else is asked or looked for', async () => {
    const { calls, vouches, acquired } = make({ isNew: true, from: 'edge-2' }, { hello: {} });
    expect(await acquired()).toEqual({ isResumed: false, missed: undefined, suspect: 0 });
    expect(calls).toEqual(['make']);
    expect(vouches).toEqual([{ is: 'fresh' }]);
  });
});

describe('a moved session', () => {
  it.each([
    ['begins with the seal that its holder has put back', { seal }, { is: 'sealed', ...seal }, undefined],
    [
      'is told the gap that its holder could not tell',
      { owed: 'expired' },
      { is: 'told', reason: 'expired' },
      'expired',
    ],
  ] as const)('%s, without a look at the queue', async (_what, left, vouch, missed) => {
    const { calls, handover, vouches, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, ...left };
    expect(await acquired()).toEqual({ isResumed: true, missed, suspect: 3 });
    expect(calls).toEqual(['ask edge-2', 'is made']);
    expect(vouches).toEqual([vouch]);
  });

  it.each([
    ['are known from its holder', { seal }, { again: 7 }],
    ['are not where something may have been dropped since', { owed: 'overflow' }, undefined],
  ] as const)('the places of what comes again %s', async (_what, left, position) => {
    const { handover, acquired } = make({ from: 'edge-2', move: 'm' });
    const places = { position: { again: 7 } as never };
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, ...places, ...left };
    expect((await acquired()).position).toEqual(position);
  });

  it('goes on in the queue that its holder has let go, whichever of its queues that is', async () => {
    const { queue, handover, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, seal, generation: 2 };
    expect(await acquired()).toEqual({ ...resumed, suspect: 3 });
    expect(queue.generation).toBe(2);
  });

  it('whose seal is still to be put into its queue by an edge that had it before may take no replies yet', async () => {
    const { calls, handover, vouches, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, seal: { ...seal, at: 'edge-3' } };
    expect(await acquired()).toEqual({ ...resumed, suspect: 3 });
    expect(calls).toEqual(['ask edge-2']);
    expect(vouches).toEqual([{ is: 'coming', name: 'x', at: 'edge-3', behind: 0 }]);
  });

  it('is not vouched for where its holder knows no seals, and is looked at only if its window was full', async () => {
    const { calls, queue, handover, vouches, acquired } = make({ from: 'edge-2', move: 'm' });
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, knowsSeals: false };
    expect(await acquired()).toEqual({ ...resumed, suspect: 3 });
    expect(calls).toEqual(['ask edge-2']);
    handover.answers['edge-2'] = { outcome: 'released', suspect: 3, knowsSeals: false, isFull: true };
    queue.counts = { messages: 100, consumers: 0 };
    queue.isOfOlder = true;
    expect(await acquired()).toEqual({ isResumed: true, missed: 'overflow', suspect: 3 });
    expect(calls.slice(1)).toEqual(['ask edge-2', 'check', 'make']);
    expect(vouches).toEqual([{ is: 'unwatched' }, { is: 'unwatched' }]);
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

  it.each([
    ['a.1', { is: 'sealed', name: 'x', behind: 2, isNew: false }],
    ['a.2', { is: 'sealed', isNew: false }],
  ])(
    'has its seal where this edge has left it with the connection that the client names, %s',
    async (connection, vouch) => {
      const position = { connection: 'a.1', seq: 3, count: 2 };
      const left = { position, suspect: 2, seal: { name: 'x', behind: 2 } };
      const hello = { resume: true, last: { connection, seq: 1 } };
      const { vouches, acquired } = make({}, { left, hello });
      await acquired();
      expect(vouches).toEqual([vouch]);
    },
  );

  it.each([
    ['where only one edge says so', {}, { is: 'sealed', name: 'x', behind: 2, isNew: false }],
    ['not where another has had the session as well', { home: 'b' }, { is: 'sealed', isNew: false }],
  ])('whose client names no connection has its seal where it was left: %s', async (_where, other, vouch) => {
    const { handover, vouches, acquired } = make({ from: 'edge-2,edge-3' }, { hello: { resume: true } });
    const position = { connection: 'a.1', seq: 3, count: 2 };
    const left = { position, suspect: 2, seal: { name: 'x', behind: 2 } };
    handover.answers['edge-2'] = { outcome: 'unknown', ...left, knowsSeals: true };
    handover.answers['edge-3'] = { outcome: 'unknown', suspect: undefined, ...other, knowsSeals: true };
    await acquired();
    expect(vouches).toEqual([vouch]);
  });

  it('has its seal where it was left, also where an edge of before names one that was to put it back', async () => {
    const { handover, vouches, acquired } = make({ from: 'edge-2' });
    const left = { name: 'x', behind: 2, at: 'edge-3' };
    handover.answers['edge-2'] = { outcome: 'unknown', suspect: undefined, seal: left, knowsSeals: true };
    await acquired();
    expect(vouches).toEqual([{ is: 'sealed', name: 'x', behind: 2, at: undefined, isNew: false }]);
  });

  it('whose client begins anew is told nothing of what its last one was owed', async () => {
    const { handover, vouches, acquired } = make({ from: 'edge-2' }, { hello: {} });
    handover.answers['edge-2'] = {
      outcome: 'unknown',
      suspect: undefined,
      owed: 'overflow',
      knowsSeals: true,
    };
    expect(await acquired()).toMatchObject(resumed);
    expect(vouches).toEqual([{ is: 'sealed', isNew: true }]);
  });

  it('is not resumed when its queue is gone', async () => {
    const { queue, vouches, acquired } = make({});
    queue.counts = undefined;
    expect(await acquired()).toEqual({ isResumed: false, missed: 'session-expired', suspect: 0 });
    expect(vouches).toEqual([{ is: 'told', reason: 'session-expired' }]);
  });

  it('whose queue is lost gets the next one, and is resumed with a gap, once nobody says that it has the session', async () => {
    const { calls, queue, vouches, acquired } = make({});
    queue.counts = undefined;
    queue.isLost = true;
    expect(await acquired()).toEqual({ isResumed: true, missed: 'broker-lost', suspect: 0 });
    expect(calls).toEqual(['check', 'search', 'check', 'make']);
    expect(vouches).toEqual([{ is: 'told', reason: 'broker-lost' }]);
  });

  it('whose queue has gone, and whose edge is out of reach, is asked for first: that edge may be about to make the queue again', async () => {
    const { calls, queue, handover, acquired } = make({ from: 'edge-2' });
    queue.counts = undefined;
    handover.answers['edge-2'] = { outcome: 'unreachable' };
    expect(await acquired()).toEqual({ isResumed: false, missed: 'session-expired', suspect: 0 });
    expect(calls).toEqual(['ask edge-2', 'check', 'search', 'check', 'make']);
  });

  it('is told what an edge that had it could not tell its client, at once and in its place', async () => {
    const { handover, vouches, acquired } = make({ from: 'edge-2' });
    const owed = { name: 'x', behind: 3, reason: 'overflow' } as const;
    handover.answers['edge-2'] = { outcome: 'unknown', owed: 'overflow', seal: owed };
    expect(await acquired()).toMatchObject({ isResumed: true, missed: 'overflow' });
    expect(vouches).toEqual([{ is: 'sealed', ...owed }]);
  });

  it('is in the queue that who had it names', async () => {
    const { queue, handover, acquired } = make({ from: 'edge-2' });
    handover.answers['edge-2'] = { outcome: 'released', generation: 3 };
    await acquired();
    expect(queue.generation).toBe(3);
  });

  it('was held here: nobody else is asked, and what was written here is suspect', async () => {
    const predecessor = { suspect: 2, seal };
    const { calls, vouches, acquired } = make({ from: 'edge-2' }, { predecessor });
    expect(await acquired()).toEqual({ ...resumed, suspect: 2 });
    expect(calls).toEqual(['check', 'make']);
    expect(vouches).toEqual([{ is: 'sealed', ...seal, isNew: false }]);
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
    expect(calls).toEqual(['ask edge-2', 'check', 'search', 'make']);
  });

  it('is not had behind a consumer that nobody answers for: asked for again until the broker says that there is none', async () => {
    const { calls, queue, handover, vouches, acquired } = make({}, { predecessor: { suspect: 1, seal } });
    queue.counts = { messages: 0, consumers: 1 };
    let searches = 0;
    handover.onSearch = () => {
      searches += 1;
      if (searches === 3) queue.counts = { messages: 0, consumers: 0 };
    };
    expect(await acquired()).toEqual({ ...resumed, suspect: undefined });
    expect(calls).toEqual(['check', 'search', 'check', 'search', 'check', 'search', 'check', 'make']);
    expect(vouches).toEqual([{ is: 'sealed', isNew: false }]);
  });

  it('is refused when the consumer is still there at the end of the time that a takeover has', async () => {
    const { calls, queue, acquired } = make({}, { limits: { ...limits, takeoverTimeoutMs: 0 } });
    queue.counts = { messages: 0, consumers: 1 };
    await expect(acquired()).rejects.toMatchObject({ code: 'takeover-failed' });
    expect(calls).toEqual(['check', 'search']);
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

describe('the queue of an edge that knows no seals', () => {
  it.each([
    ['nothing, where its client comes back in time', {}, 99, undefined],
    ['the oldest events, of a full queue', {}, 100, 'overflow'],
    ['nothing, at the last moment', { awayMs: 239_999 }, 0, undefined],
    ['events that expired, after a long absence', { awayMs: 240_000 }, 0, 'expired'],
  ] as const)('is judged by its length and by time: %s', async (_what, hello, messages, missed) => {
    const { queue, vouches, acquired } = make({}, { hello });
    queue.isOfOlder = true;
    queue.counts = { messages, consumers: 0 };
    expect(await acquired()).toEqual({ isResumed: true, missed, suspect: undefined });
    expect(vouches).toEqual([{ is: 'unwatched' }]);
  });

  it('is judged so as well where it is of this kind, and such an edge may have taken its seal', async () => {
    const { handover, queue, vouches, acquired } = make({ from: 'edge-2' });
    handover.answers['edge-2'] = { outcome: 'unknown', knowsSeals: false };
    queue.counts = { messages: 100, consumers: 0 };
    expect(await acquired()).toMatchObject({ missed: 'overflow' });
    queue.counts = { messages: 99, consumers: 0 };
    expect(await acquired()).toMatchObject({ missed: undefined });
    expect(vouches).toEqual([{ is: 'told', reason: 'overflow' }, { is: 'fresh' }]);
  });
});

describe('in a crowd', () => {
  /** An entrance that is full, until it is let through. */
  function full() {
    const entrance = new Entrance(() => 0);
    let letThrough = () => {};
    const gone = new Promise<void>((resolve) => (letThrough = resolve));
    for (let n = 0; n < 16; n++) void entrance.enter({}, () => gone);
    return { entrance, letThrough };
  }

  it.each([{ isNew: true }, { from: 'edge-2' }])(
    '%o has its queue looked for or made in its turn',
    async (claims) => {
      const { entrance, letThrough } = full();
      const { calls, acquired } = make(claims, { entrance });
      const found = acquired();
      await settled();
      expect(calls.filter((call) => ['check', 'make'].includes(call))).toEqual([]);
      letThrough();
      await found;
      expect(calls.at(-1)).toBe('make');
    },
  );

  it('one that moves, and whose edge has answered, waits for nobody', async () => {
    const { handover, acquired } = make({ from: 'edge-2', move: 'm' }, { entrance: full().entrance });
    handover.answers['edge-2'] = { outcome: 'released', seal };
    expect(await acquired()).toMatchObject(resumed);
  });

  it('one that nobody wants any more when its turn comes leaves its queue as it is', async () => {
    const { entrance, letThrough } = full();
    let isLive = true;
    const { calls, acquired } = make({ from: 'edge-2' }, { entrance, isLive: () => isLive });
    const found = acquired();
    await settled();
    isLive = false;
    letThrough();
    expect(await found).toMatchObject({ isResumed: true });
    expect(calls).toEqual(['ask edge-2']);
  });

  it('one that searches has no place meanwhile, and its time counts from the answer, not from its next turn', async () => {
    const calls: string[] = [];
    const entrance = {
      enter: <Result>(_: object, work: () => Promise<Result>) => work(),
      aside: async <Result>(wait: () => Promise<Result>) => {
        calls.push('aside');
        const result = await wait();
        calls.push('waits for its turn');
        return result;
      },
    };
    const { queue, handover, acquired } = make(
      { from: 'edge-2' },
      { entrance, onOwnTime: () => calls.push('own time') },
    );
    queue.counts = { messages: 0, consumers: 1 };
    handover.onSearch = () => calls.push('search');
    handover.searched = { outcome: 'released', seal };
    expect(await acquired()).toMatchObject(resumed);
    expect(calls).toEqual(['own time', 'aside', 'search', 'own time', 'waits for its turn']);
  });

  it('its time counts from when the others have answered', async () => {
    const { handover, calls, acquired } = make(
      { from: 'edge-2' },
      { onOwnTime: () => calls.push('own time') },
    );
    handover.answers['edge-2'] = { outcome: 'unknown' };
    await acquired();
    expect(calls.slice(0, 2)).toEqual(['ask edge-2', 'own time']);
  });
});

describe('what a client may have missed', () => {
  it('of its topics: messages after a loss, none in a move or at its first coming', () => {
    expect(missedOfTopics({ t: 'hello', resume: true }, false)).toBe('connection-lost');
    expect(missedOfTopics({ t: 'hello', resume: true }, true)).toBeUndefined();
    expect(missedOfTopics({ t: 'hello' }, false)).toBeUndefined();
  });
});
