import { TokenBucket } from '@evenkeel/pace';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ClientError } from '../errors.js';
import type { EdgeSocket } from '../transport/edge-socket.js';
import { Calls } from './calls.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const limits = { framesPerSecond: 100, burst: 400, maxTopics: 128, maxFrameBytes: 65_536 };
const frameOf = (text: string) => JSON.parse(text) as { id: string; data: unknown };

/** Calls on one socket, whose edge takes what `limits` say; frames are on their way for `delayMs`, in order. */
function pair(delayMs: () => number = () => 0, given: typeof limits | undefined = limits) {
  let edge: TokenBucket | undefined;
  let arrivesAtMs = 0;
  const taken: unknown[] = [];
  let refused = 0;
  const arrive = (text: string): void => {
    edge ??= new TokenBucket(limits.framesPerSecond, limits.burst, performance.now());
    const { id, data } = frameOf(text);
    if (edge.tryTake(performance.now())) {
      taken.push(data);
      calls.answered({ t: 'ok', re: id });
    } else {
      refused++;
      calls.answered({ t: 'error', re: id, code: 'rate-limited', message: 'slow down' });
    }
  };
  const send = (text: string): void => {
    arrivesAtMs = Math.max(arrivesAtMs, performance.now() + delayMs());
    setTimeout(() => arrive(text), arrivesAtMs - performance.now());
  };
  const socket = { calls: 0, pace: undefined, send } as unknown as EdgeSocket;
  const calls: Calls = new Calls('p', 1_000, () => calls.flushNow(socket, false));
  const publish = (n: number) =>
    calls.open('publish', 'x', n, {}).then(undefined, (error: ClientError) => error.code);
  const welcome = (): void => {
    calls.welcomed(socket, given);
    calls.flushNow(socket, false);
  };
  return { calls, publish, welcome, taken, refused: () => refused };
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

it('a thousand calls that waited for a connection are all taken, in order, within what the edge takes', async () => {
  const { publish, welcome, taken, refused } = pair();
  const all = Promise.all(range(1_000).map(publish));
  welcome();
  await vi.advanceTimersByTimeAsync(20_000);
  expect((await all).every((answer) => answer === undefined)).toBe(true);
  expect(taken).toEqual(range(1_000));
  expect(refused()).toBe(0);
});

it('frames that the network holds up for three seconds and brings all at once are not too many', async () => {
  let isStalled = false;
  let endsAtMs = 0;
  const { publish, welcome, taken, refused } = pair(() => (isStalled ? endsAtMs - performance.now() : 0));
  const all = Promise.all(range(1_000).map(publish));
  welcome();
  await vi.advanceTimersByTimeAsync(2_000);
  isStalled = true;
  endsAtMs = performance.now() + 3_000;
  await vi.advanceTimersByTimeAsync(3_000);
  isStalled = false;
  await vi.advanceTimersByTimeAsync(20_000);
  await all;
  expect(taken).toEqual(range(1_000));
  expect(refused()).toBe(0);
});

it('a call that comes too soon all the same goes again, and is answered', async () => {
  const { publish, welcome, taken, refused } = pair(() => 0, {
    ...limits,
    framesPerSecond: 1_000,
    burst: 4_000,
  });
  const all = Promise.all(range(500).map(publish));
  welcome();
  await vi.advanceTimersByTimeAsync(5_000);
  expect((await all).every((answer) => answer === undefined)).toBe(true);
  expect(taken).toHaveLength(500);
  expect(refused()).toBeGreaterThan(0);
});

it('an edge that states no limits gets all at once, and what it refuses is told', async () => {
  const { calls, publish, taken } = pair(() => 0, undefined);
  const all = Promise.all(range(500).map(publish));
  const socket = {
    calls: 0,
    send: (text: string) =>
      calls.answered({ t: 'error', re: frameOf(text).id, code: 'rate-limited', message: '' }),
  };
  calls.flushNow(socket as unknown as EdgeSocket, false);
  expect(new Set(await all)).toEqual(new Set(['rate-limited']));
  expect(taken).toEqual([]);
});

it('an edge that takes one frame a second and no burst is sent one a second', async () => {
  const { calls } = pair();
  let sent = 0;
  const socket = { calls: 0, pace: undefined, send: () => void sent++ } as unknown as EdgeSocket;
  const few: Calls = new Calls('q', 10, () => few.flushNow(socket, false));
  for (const n of range(5)) few.open('publish', 'x', n, {}).catch(() => {});
  few.welcomed(socket, { ...limits, framesPerSecond: 1, burst: 1 });
  few.flushNow(socket, false);
  expect(sent).toBe(1);
  await vi.advanceTimersByTimeAsync(1_200);
  expect(sent).toBe(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(sent).toBe(5);
  for (const each of [few, calls]) each.fail(new Error('end') as ClientError);
});

it('nothing is timed any more after the end', () => {
  const { calls, publish, welcome } = pair();
  for (const n of range(900)) void publish(n);
  welcome();
  calls.fail(Object.assign(new Error('the end'), { code: 'closed' }) as ClientError);
  vi.advanceTimersByTime(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('a frame may be as long as the edge says, and what waited and is longer is refused, not fatal', async () => {
  const sent: string[] = [];
  const socket = {
    calls: 0,
    pace: undefined,
    send: (text: string) => void sent.push(text),
  } as unknown as EdgeSocket;
  const calls: Calls = new Calls('p', 10, () => calls.flushNow(socket, false));
  const long = calls.open('publish', 'x', 'y'.repeat(2_000), {});
  const refused = expect(long).rejects.toMatchObject({
    code: 'too-large',
    message: expect.stringContaining('1000'),
  });
  calls.welcomed(socket, { ...limits, maxFrameBytes: 1_000 });
  calls.flushNow(socket, false);
  await refused;
  calls.welcomed(socket, { ...limits, maxFrameBytes: 200_000 });
  void calls.open('publish', 'x', 'y'.repeat(150_000), {});
  calls.flushNow(socket, false);
  expect(sent.map(({ length }) => length > 150_000)).toEqual([true]);
});

it.each([0, -5, Number.NaN, '30', null])('a timeout of %s is refused', async (timeoutMs) => {
  const calls = new Calls('p', 10, () => {});
  const opened = calls.open('publish', 'x', 1, { timeoutMs: timeoutMs as number });
  await expect(opened).rejects.toThrow(/timeoutMs must be a number from 1, or Infinity/);
  await calls.idle(0);
  expect(vi.getTimerCount()).toBe(0);
});
