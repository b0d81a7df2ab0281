import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { get, send } from './api.js';

beforeEach(() => {
  vi.useFakeTimers();
  // A browser that has no connection left.
  vi.stubGlobal(
    'fetch',
    (_path: string, { signal }: RequestInit) =>
      new Promise((_resolve, reject) => {
        if (signal?.aborted) reject(signal.reason);
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  );
});
afterEach(() => void vi.useRealTimers());

it('what is not answered within 15 s is said, with what that means for a command', async () => {
  const looked = get('/api/me').catch((error: unknown) => error);
  const sent = send({ command: 'rebalance' }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await looked).toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/^The console has not answered within 15 s\. Check/),
  });
  expect(await sent).toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('may have been carried out or not'),
  });
});

it('an answer that stops on its way is none', async () => {
  vi.stubGlobal('fetch', async (_path: string, { signal }: RequestInit) => ({
    ok: true,
    json: () =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  }));
  const looked = get('/api/me').catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await looked).toMatchObject({ code: 'timeout' });
});

it('what is given up by the page itself is no failure of the console', async () => {
  const abort = new AbortController();
  const looked = get('/api/me', abort.signal).catch((error: unknown) => error);
  abort.abort();
  expect(await looked).toBe(abort.signal.reason);
  expect(await get('/api/me', abort.signal).catch((error: unknown) => error)).toBe(abort.signal.reason);
});
