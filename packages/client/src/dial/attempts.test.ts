import { closeCodes } from '@evenkeel/protocol/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Status, StatusFeed } from '../status.js';
import { Attempts } from './attempts.js';
import { LookupError } from './gateway.js';
import type { DialOptions } from './options.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function attempts(placement: () => Promise<never>, options: DialOptions = {}) {
  const calls = { lookups: 0, refused: 0 };
  const host = {
    session: undefined,
    from: [],
    statusFeed: new StatusFeed(),
    placed: () => {},
    refused: () => void calls.refused++,
    options: {
      ...options,
      placement: () => {
        calls.lookups++;
        return placement();
      },
    },
    random: () => 0.5,
    resume: undefined,
    pass: undefined,
    exchange: () => Promise.resolve(undefined),
  };
  return { calls, host, made: new Attempts(host) };
}

it('a wait that a server asked for is not cut short by waking up', async () => {
  const { calls, made } = attempts(() => Promise.reject(new LookupError(503, 'full', 'full', 30_000)));
  made.begin();
  await vi.advanceTimersByTimeAsync(1);
  expect(made.hurry()).toBe(true);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(calls.lookups).toBe(1);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(calls.lookups).toBe(2);
  made.end();
});

it('a gateway that answers 429 is asked again after its Retry-After, and not before', async () => {
  const error = { code: 'rate-limited', message: 'too many requests of this user' };
  const fetched = vi.fn(async () =>
    Response.json({ error }, { status: 429, headers: { 'retry-after': '4' } }),
  );
  const { host } = attempts(() => Promise.reject(new Error('not asked')));
  const refused = vi.fn();
  const { statusFeed } = host;
  const told: Status[] = [];
  statusFeed.listen((status) => told.push(status));
  const made = new Attempts({
    ...host,
    refused,
    options: { gateway: 'http://gateway', fetch: fetched },
    random: () => 0,
  });
  made.begin();
  await vi.advanceTimersByTimeAsync(3_990);
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(told.at(-1)).toMatchObject({ type: 'connect-failed', code: 'rate-limited', retryInMs: 4_000 });
  await vi.advanceTimersByTimeAsync(20);
  expect(fetched).toHaveBeenCalledTimes(2);
  expect(refused).not.toHaveBeenCalled();
  made.end();
});

it.each([
  [0, 250],
  [2_592_000_000, 600_000],
])('a Retry-After of %s ms is no hot loop: the next look-up is after %s ms', async (askedMs, afterMs) => {
  const { calls, made } = attempts(() => Promise.reject(new LookupError(503, 'full', 'full', askedMs)));
  made.begin();
  await vi.advanceTimersByTimeAsync(afterMs - 2);
  expect(calls.lookups).toBe(1);
  await vi.advanceTimersByTimeAsync(3);
  expect(calls.lookups).toBe(2);
  made.end();
});

it('a backoff is cut short by waking up', async () => {
  const { calls, made } = attempts(() => Promise.reject(new Error('offline')));
  made.begin();
  await vi.advanceTimersByTimeAsync(1);
  expect(made.hurry()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls.lookups).toBe(2);
  made.end();
});

it('a look-up that is never answered is given up after ten seconds, and tried again', async () => {
  const { calls, made } = attempts(() => new Promise(() => {}));
  made.begin();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(calls.lookups).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(calls.lookups).toBe(2);
  made.end();
});

it('a socket that opened while the page stood still is not given up by a timer that comes first', async () => {
  const { made } = attempts(() => new Promise(() => {}));
  const late = vi.fn();
  made.watch(10_000, late);
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(late).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_100);
  expect(late).toHaveBeenCalledTimes(1);
  clock.mockRestore();
  made.end();
});

it('nothing more is tried after the end', async () => {
  const { calls, made } = attempts(() => Promise.reject(new Error('offline')));
  made.begin();
  await vi.advanceTimersByTimeAsync(1);
  made.end();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(calls.lookups).toBe(1);
  expect(made.hurry()).toBe(false);
});

it('who came to the wrong edge is back at the gateway within a second, though the backoff is long', async () => {
  const placement = { url: 'ws://a/ws', node: 'a', ticket: 't', session: 's', expiresInMs: 1_000 };
  const backoff = { minMs: 60_000, maxMs: 60_000 };
  let lookups = 0;
  const asked = () => {
    lookups++;
    return Promise.resolve(placement);
  };
  const host = {
    session: undefined,
    from: [],
    statusFeed: new StatusFeed(),
    placed: () => {},
    refused: () => {},
    options: { placement: asked, backoff },
    random: () => 0.999,
    resume: undefined,
    pass: undefined,
    exchange: () => Promise.resolve(undefined),
  };
  const made = new Attempts(host);
  made.begin();
  await vi.advanceTimersByTimeAsync(1);
  made.failed(closeCodes.wrongEdge.code, closeCodes.wrongEdge.reason);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(lookups).toBe(2);
  made.end();
});

const refusal = () => Promise.reject(new LookupError(401, 'bad-credentials', 'not yet valid', undefined));

it('tokens refused for less than thirty seconds are not final, and afterwards they are', async () => {
  const { calls, made } = attempts(refusal, { getToken: () => 'fresh' });
  made.begin();
  await vi.advanceTimersByTimeAsync(29_500);
  expect(calls.refused).toBe(0);
  expect(calls.lookups).toBeGreaterThan(5);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(calls.refused).toBe(1);
});

it('tokens refused twice, however far apart, are not final', async () => {
  const backoff = { minMs: 100_000, maxMs: 100_000 };
  const { calls, made } = attempts(refusal, { getToken: () => 'fresh', backoff });
  made.begin();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual({ lookups: 2, refused: 0 });
  await vi.advanceTimersByTimeAsync(50_000);
  expect(calls).toEqual({ lookups: 3, refused: 1 });
});

it('a refused token that is always the same is final at once', async () => {
  const { calls, made } = attempts(refusal, { token: 'old' });
  made.begin();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toEqual({ lookups: 1, refused: 1 });
});

const raise = (): never => {
  throw new Error('no session');
};

it.each([
  ['throws', () => Promise.reject(new Error('login page down')), 'getToken threw: login page down'],
  ['throws at once', raise, 'getToken threw: no session'],
  ['gives nothing', () => undefined, 'getToken gave undefined; give a text'],
  ['gives null', async () => null, 'getToken gave null; give a text'],
  ['gives an object', () => ({ token: 'x' }), 'getToken gave an object; give a text'],
  ['never settles', () => new Promise(() => {}), 'getToken did not answer within 10000 ms'],
])('getToken that %s is told as such, and asked again', async (_, getToken, reason) => {
  let asked = 0;
  const counted = (): never => {
    asked++;
    return getToken() as never;
  };
  const { calls, host, made } = attempts(refusal, { getToken: counted });
  const told: Status[] = [];
  host.statusFeed.listen((status) => told.push(status));
  made.begin();
  await vi.advanceTimersByTimeAsync(25_000);
  const failed = told.find(({ type }) => type === 'connect-failed');
  expect(failed).toMatchObject({ code: reason.includes('did not') ? 'timeout' : 'get-token-failed' });
  expect(failed).toMatchObject({ reason: expect.stringContaining(reason), cause: { name: 'ClientError' } });
  expect(asked).toBeGreaterThan(1);
  expect(calls).toEqual({ lookups: 0, refused: 0 });
  made.end();
});

it('a backoff of days is bounded by ten minutes', async () => {
  const backoff = { minMs: 2_592_000_000, maxMs: Infinity };
  const { calls, made } = attempts(() => Promise.reject(new Error('offline')), { backoff });
  made.begin();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(calls.lookups).toBe(3);
  made.end();
});
