import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StatusFeed } from '../status.js';
import { Attempts } from './attempts.js';
import { LookupError } from './gateway.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function attempts(placement: () => Promise<never>) {
  const calls = { lookups: 0, refused: 0 };
  const host = {
    session: undefined,
    from: [],
    status: new StatusFeed(),
    placed: () => {},
    refused: () => void calls.refused++,
  };
  const counted = () => {
    calls.lookups++;
    return placement();
  };
  return { calls, made: new Attempts(host, { placement: counted }, () => 0.5) };
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

it('nothing more is tried after the end', async () => {
  const { calls, made } = attempts(() => Promise.reject(new Error('offline')));
  made.begin();
  await vi.advanceTimersByTimeAsync(1);
  made.end();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(calls.lookups).toBe(1);
  expect(made.hurry()).toBe(false);
});
