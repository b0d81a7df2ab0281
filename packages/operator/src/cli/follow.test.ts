import type { NodeStatus, StatusAnswer } from '@evenkeel/protocol';
import { describe, expect, it } from 'vitest';
import { TestTerminal } from '../../testing/printed.js';
import { OperatorError, operatorErrorCodes } from '../errors.js';
import type { Operator } from '../operator.js';
import { follow, type Goal } from './follow.js';

const e1 = (sessions: number, more: Partial<NodeStatus> = {}): NodeStatus => ({
  node: 'e1',
  url: 'ws://e1/ws',
  state: 'draining',
  version: '1',
  connections: sessions,
  sessions,
  ...more,
});

/** Follows a drain of `e1` that a balancer shows like this, half a second a look. */
async function followed(
  shown: (look: number) => NodeStatus | undefined,
  goal: Partial<Goal> = {},
  more: Partial<StatusAnswer> | ((look: number) => Partial<StatusAnswer>) = {},
  silent = { from: 0, to: 0 },
) {
  let looks = 0;
  let nowMs = 0;
  const terminal = new TestTerminal();
  terminal.sleep = async (ms: number) => {
    nowMs += ms;
  };
  const status = async (): Promise<StatusAnswer> => {
    looks += 1;
    if (looks > silent.from && looks <= silent.to)
      throw new OperatorError(operatorErrorCodes.noBalancer, 'no balancer answered');
    const nodes = [shown(looks) ?? []].flat();
    return { ok: true, nodes, leader: 'b', plan: null, ...(typeof more === 'function' ? more(looks) : more) };
  };
  const all: Goal = { kind: 'empty', nodes: ['e1'], ...(goal as object) };
  const end = await follow({ status } as Operator, all, terminal, () => nowMs);
  return { end, looks, tookMs: nowMs };
}

describe('waiting for a drain', () => {
  it('ends with those that stay, and why, and what to do, as soon as the balancer says so', async () => {
    const drain = (look: number) =>
      look < 4 ? { state: 'under-way' } : { state: 'stayed', why: '6 pinned by the front' };
    const { end, looks } = await followed((look) => e1(look < 3 ? 16 : 6, { drain: drain(look), pinned: 6 }));
    expect(looks).toBe(4);
    expect(end).toMatchObject({
      state: 'partial',
      outcome:
        '6 sessions stayed: 6 pinned by the front on e1; take e1 out of what is in front, then drain again',
    });
  });

  it('ends when nothing comes of it any more, though an older balancer does not say so', async () => {
    const { end, tookMs } = await followed(() => e1(3), {}, { why: 'level within the thresholds' });
    expect(tookMs).toBeGreaterThanOrEqual(15_000);
    expect(tookMs).toBeLessThan(17_000);
    expect(end.outcome).toBe('3 sessions stayed: level within the thresholds');
  });

  it('goes on as long as sessions leave or a plan runs', async () => {
    const plan = { id: 'p', state: 'running', total: 9 };
    const { looks } = await followed((look) => e1(look < 90 ? 9 : 0), {}, { plan });
    expect(looks).toBe(90);
    expect((await followed((look) => e1(Math.max(0, 5 - Math.floor(look / 20))))).end.state).toBe('done');
  });

  it('ends when the plan stays paused, and says what continues it', async () => {
    const { end } = await followed(() => e1(1), {}, { plan: { id: 'p', state: 'paused' } });
    expect(end.outcome).toBe('1 session stayed: the plan is paused (evenkeel resume goes on)');
  });

  it('goes on where nobody answers for a while, which is no time without progress, and not for ever', async () => {
    const drained = (look: number) => e1(look < 32 ? 3 : 0);
    expect((await followed(drained, {}, {}, { from: 1, to: 30 })).end.state).toBe('done');
    await expect(followed(drained, {}, {}, { from: 1, to: 100 })).rejects.toMatchObject({
      code: 'no-balancer',
    });
  });

  it('draws no conclusion from the answer of a new leader that has not heard of every node', async () => {
    // Of looks 3 to 5 the balancer has just begun; then the node is there again, as full as it was.
    const isNew = (look: number) => look > 2 && look <= 5;
    const { end, looks } = await followed(
      (look) => (isNew(look) ? undefined : e1(look < 9 ? 3 : 0)),
      {},
      (look) => ({ isComplete: !isNew(look) }),
    );
    expect([end.state, end.total, looks]).toEqual(['done', 3, 9]);
  });

  it('gives a leader that answers after nearly a minute the time to hear of every node', async () => {
    const { end } = await followed(
      (look) => e1(look < 70 ? 3 : 0),
      {},
      (look) => ({ isComplete: look < 56 || look > 65 }),
      { from: 1, to: 56 },
    );
    expect(end.state).toBe('done');
  });

  it('draws none from that of an older balancer, which does not say so', async () => {
    const { end, looks } = await followed((look) =>
      look > 2 && look <= 5 ? undefined : e1(look < 9 ? 3 : 0),
    );
    expect([end.state, end.total, looks]).toEqual(['done', 3, 9]);
    expect((await followed((look) => (look < 4 ? undefined : e1(look < 9 ? 3 : 0)))).looks).toBe(9);
  });

  it('ends when the node has gone: it is shown so, or for 15 s no part of any answer', async () => {
    const gone = await followed((look) =>
      look < 4 ? e1(3, look === 3 ? { state: 'gone' } : {}) : undefined,
    );
    expect([gone.end.state, gone.looks]).toEqual(['done', 3]);
    const { end, tookMs } = await followed((look) => (look < 3 ? e1(3) : undefined));
    expect(end.state).toBe('done');
    expect(tookMs).toBeGreaterThanOrEqual(15_000);
    expect(tookMs).toBeLessThan(17_000);
  });

  it('ends, unfinished, when for a minute no balancer knows every node', async () => {
    await expect(followed(() => e1(0), {}, { isComplete: false })).rejects.toMatchObject({
      code: 'unfinished',
    });
  });

  it('ends with its deadline', async () => {
    const { end } = await followed((look) => e1(3, { state: look < 12 ? 'draining' : 'cordoned' }), {
      deadlineMs: 5_000,
    } as Partial<Goal>);
    expect(end.outcome).toBe('3 sessions stayed: the deadline has passed');
  });

  it('ends when somebody lets the node take clients again', async () => {
    const { end } = await followed((look) => e1(3, { state: look === 2 ? 'draining' : 'active' }));
    expect(end.outcome).toBe('3 sessions stayed: the drain was ended by an uncordon');
  });
});
