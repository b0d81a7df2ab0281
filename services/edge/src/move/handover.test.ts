import type { PublishOutcome } from '@evenkeel/broker';
import { allEdgesKey, type CommandOf, type PassHold } from '@evenkeel/protocol';
import type { TicketClaims } from '@evenkeel/ticket';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Handover } from './handover.js';

const claims: TicketClaims = { id: 't', uid: 'u', sid: 's', node: 'a', epoch: 5, expiresAt: 1 };
let asked: { key: string; command: CommandOf<'takeover'> }[];
let outcome: () => Promise<PublishOutcome>;
let handover: Handover;
let isThere: boolean;
let pass: PassHold | undefined;
let heard: unknown[][];
let orphans: unknown[][];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  outcome = async () => 'routed';
  const publish = (key: string, command: object) => {
    asked.push({ key, command: command as CommandOf<'takeover'> });
    return outcome();
  };
  const node = { name: 'a', boot: 'boot' };
  handover = new Handover({
    node,
    outgoing: { publish },
    config: { takeoverRetryMs: 1_000, takeoverTimeoutMs: 30_000 },
    names: { mayBeThere: async () => isThere },
    passOf: () => pass,
    onPass: (...told) => void heard.push(told),
    onOrphan: (...told) => void orphans.push(told),
  });
  isThere = false;
  pass = undefined;
  heard = [];
  orphans = [];
});
afterEach(() => void vi.useRealTimers());

function edgeAnswers(outcome: 'released' | 'refused' | 'unknown', more: object = {}): void {
  const takeover = asked[0]?.command.takeover ?? '';
  handover.onReleased({ command: 'released', takeover, uid: 'u', sid: 's', from: 'b', outcome, ...more });
}
const identities = () => new Set(asked.map(({ command }) => command.takeover));

describe('a search among all edges', () => {
  it('repeats the same question until it is answered', async () => {
    const answer = handover.search(claims, 1_500);
    // The first answers are lost: the queue they would come to is not there yet.
    await vi.advanceTimersByTimeAsync(700);
    expect(asked.length).toBeGreaterThan(1);
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set([allEdgesKey]));
    expect(identities().size).toBe(1);
    edgeAnswers('refused');
    expect((await answer).outcome).toBe('refused');
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(asked).toHaveLength(before);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends as unknown when nobody answers, or only such as do not know', async () => {
    const answer = handover.search(claims, 1_500);
    edgeAnswers('unknown');
    await vi.advanceTimersByTimeAsync(1_500);
    expect((await answer).outcome).toBe('unknown');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives each question an identity of its own', () => {
    void handover.search(claims, 1_500);
    void handover.search(claims, 1_500);
    vi.advanceTimersByTime(20);
    expect(identities().size).toBe(asked.length);
  });
});

describe('a question to one edge', () => {
  it('is repeated with the same identity until it is answered, with what the answer says', async () => {
    const answer = handover.ask({ ...claims, move: 'm1' }, 'b', () => true);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(asked.map(({ key }) => key)).toEqual(['edge.b', 'edge.b', 'edge.b']);
    expect(identities().size).toBe(1);
    expect(asked[0]?.command).toMatchObject({ uid: 'u', sid: 's', epoch: 5, mode: 'move', move: 'm1' });
    edgeAnswers('released', { suspect: 3, isFull: true });
    expect(await answer).toMatchObject({ outcome: 'released', suspect: 3, isFull: true, knowsSeals: false });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is answered as unreachable by a broker that has no queue for it', async () => {
    outcome = async () => 'unrouted';
    expect(await handover.ask(claims, 'b', () => true)).toMatchObject({ outcome: 'unreachable' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on while the edge has its name, though its queue was deleted: it may stand still with the session in hand', async () => {
    outcome = async () => 'unrouted';
    isThere = true;
    const answer = handover.ask(claims, 'b', () => true);
    await vi.advanceTimersByTimeAsync(700);
    expect(asked).toHaveLength(3);
    edgeAnswers('released');
    expect(await answer).toMatchObject({ outcome: 'released' });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('goes on while the broker is away, and ends as silent when nobody has answered in time', async () => {
    outcome = async () => {
      throw new Error('away');
    };
    const answer = handover.ask(claims, 'b', () => true);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(asked.length).toBeGreaterThan(20);
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({ outcome: 'silent' });
  });

  it.each(['nobody wants to know any more', 'its claims are abandoned'])('ends when %s', async (why) => {
    let isLive = true;
    const answer = handover.ask(claims, 'b', () => isLive);
    const other = handover.ask({ ...claims }, 'c', () => true);
    if (why === 'its claims are abandoned') handover.abandon(claims);
    else isLive = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await answer).toMatchObject({ outcome: 'silent' });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await other).toMatchObject({ outcome: 'silent' });
    expect(asked.filter(({ key }) => key === 'edge.b')).toHaveLength(1);
    expect(asked.filter(({ key }) => key === 'edge.c').length).toBeGreaterThan(20);
  });

  it('takes no answer to another question', async () => {
    const answer = handover.ask(claims, 'b', () => true);
    handover.onReleased({
      command: 'released',
      takeover: 'another',
      uid: 'u',
      sid: 's',
      from: 'b',
      outcome: 'released',
    });
    edgeAnswers('unknown');
    expect(await answer).toMatchObject({ outcome: 'unknown' });
  });
});

describe('an answer that comes when who asked has gone', () => {
  const seal = { name: 's', behind: 1 };

  it('brings the session all the same: somebody here is to see to it', async () => {
    const answer = handover.ask(claims, 'b', () => true);
    handover.abandon(claims);
    expect((await answer).outcome).toBe('silent');
    const said = { suspect: 2, seal, position: { connection: 'c', seq: 1, count: 1 } };
    edgeAnswers('released', said);
    // Repeated: it has been seen to.
    edgeAnswers('released', said);
    expect(orphans).toEqual([[claims, expect.objectContaining({ ...said, isLasting: false }), false]]);
  });

  it('brings one that was away there, too, and nothing where the other edge has none or keeps it', () => {
    for (const [outcome, more] of [
      ['unknown', {}],
      ['refused', {}],
      ['unknown', { wasAway: true }],
    ] as const) {
      asked.length = 0;
      void handover.ask(claims, 'b', () => true);
      handover.abandon(claims);
      edgeAnswers(outcome, more);
    }
    expect(orphans).toEqual([[claims, expect.objectContaining({ isLasting: true }), true]]);
  });
});
