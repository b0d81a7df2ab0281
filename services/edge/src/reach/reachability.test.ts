import { TicketSigner } from '@evenkeel/ticket';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeNode } from '../node.js';
import type { Met } from './met.js';
import { Reachability } from './reachability.js';

const url = 'wss://mesh.example/e/edge-1/ws';
const nothing: Met = { kind: 'failure', code: 'ECONNREFUSED' };
const itself: Met = { kind: 'edge', name: 'edge-1', boot: 'b1' };
const another: Met = { kind: 'edge', name: 'edge-2', boot: 'b2' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function make() {
  const node = new EdgeNode('edge-1', 'b1');
  const tickets = new TicketSigner(['reach-test-secret-0123456789']);
  const logged: { level: string; met: unknown }[] = [];
  const stopping = new AbortController();
  onTestFinished(() => stopping.abort());
  let meets: Met = itself;
  const dialled: number[] = [];
  const reachability = new Reachability({
    node,
    tickets,
    dial: async (to, ticket) => {
      dialled.push(Date.now());
      expect(to).toBe(url);
      expect(tickets.check(ticket, { name: 'any', boot: 'any' }, Date.now())).toMatchObject({
        problem: 'probe',
      });
      // A front that routes by the ticket leads it here.
      expect(ticket).toMatch(/^edge-1\./);
      return meets;
    },
    now: Date.now,
    random: () => 1,
    log: {
      info: (fields: object) => void logged.push({ level: 'info', met: Reflect.get(fields, 'met') }),
      error: (fields: object) => void logged.push({ level: 'error', met: Reflect.get(fields, 'met') }),
    },
  });
  return {
    node,
    logged,
    dialled,
    stop: () => stopping.abort(),
    meet: (met: Met) => {
      meets = met;
    },
    start: () => reachability.start(url, stopping.signal),
  };
}

describe('an edge that looks where its URL leads', () => {
  it('is active before its start goes on, without a word, if that is itself', async () => {
    const { node, start, logged, dialled } = make();
    await start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([node.state, node.isReachable, logged, dialled.length]).toEqual(['active', true, [], 1]);
  });

  it('stays cordoned while it is another edge, with one error at once', async () => {
    const { node, start, meet, logged } = make();
    meet(another);
    await start();
    expect([node.state, node.isReachable]).toEqual(['cordoned', false]);
    await vi.advanceTimersByTimeAsync(600_000);
    expect([node.state, node.isReachable]).toEqual(['cordoned', false]);
    expect(logged.filter(({ level }) => level === 'error')).toEqual([
      { level: 'error', met: 'the edge edge-2' },
    ]);
  });

  it('says so as an error only after 3 s if nothing is there, and is active once something is', async () => {
    const { node, start, meet, logged } = make();
    meet(nothing);
    await start();
    await vi.advanceTimersByTimeAsync(2_000);
    const errors = () => logged.filter(({ level }) => level === 'error').length;
    expect([node.isReachable, errors()]).toEqual([false, 0]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([node.isReachable, errors()]).toEqual([false, 1]);
    meet(itself);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([node.state, node.isReachable, errors()]).toEqual(['active', true, 1]);
  });

  it('looks again after 0.1 s, twice as long each time, 5 s at most, and no more once it stops', async () => {
    const { start, meet, dialled, stop } = make();
    meet(nothing);
    await start();
    await vi.advanceTimersByTimeAsync(20_000);
    const waits = dialled.slice(1).map((atMs, i) => atMs - (dialled[i] ?? 0));
    expect(waits.slice(0, 8)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    stop();
    const count = dialled.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(dialled.length).toBe(count);
  });
});
