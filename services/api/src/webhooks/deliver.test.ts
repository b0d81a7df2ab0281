import { sleep } from '@evenkeel/pace';
import { expect, it } from 'vitest';
import { type Answered, deliver } from './deliver.js';

/** Posts that give these in turn, and the waits between them. */
function scripted(...answers: (Answered | Error)[]) {
  const waits: number[] = [];
  const { signal } = new AbortController();
  const result = deliver({
    post: async () => {
      const next = answers.shift() ?? new Error('asked too often');
      if (next instanceof Error) throw next;
      return next;
    },
    delaysMs: [1, 2, 4],
    sleep: async (ms) => void waits.push(ms),
    signal,
    onRetry: () => {},
  });
  return { waits, result };
}

const status = (code: number): Answered => ({
  status: code,
  answer: { code },
  json: `{"code":${code}}`,
  isEmpty: false,
});

it('tries again, later and later, what was not answered or failed there, until it is taken', async () => {
  const { waits, result } = scripted(new Error('refused'), status(503), status(429), status(204));
  expect(await result).toEqual({ is: 'done', json: '{"code":204}', isEmpty: false });
  expect(waits).toEqual([1, 2, 4]);
});

it('does not repeat what the application refuses', async () => {
  const { waits, result } = scripted(status(422));
  expect(await result).toEqual({ is: 'refused', status: 422, answer: { code: 422 } });
  expect(waits).toEqual([]);
});

it('is dead when its tries are used up, and says why the last one failed', async () => {
  const failed = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  const { result } = scripted(failed, failed, failed, failed);
  expect(await result).toEqual({ is: 'dead', tries: 4, why: 'connect ECONNREFUSED' });
});

it('ends its waiting when it is stopped, without having failed', async () => {
  const stopping = new AbortController();
  const result = deliver({
    post: async () => status(500),
    delaysMs: [1],
    sleep,
    signal: stopping.signal,
    onRetry: () => stopping.abort(),
  });
  expect((await result).is).toBe('stopped');
});
