import type { PublishProperties } from '@evenkeel/broker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AskingOptions } from './answer-queue.js';
import { Asks } from './asks.js';
import { PresenceQuestions } from './presence-questions.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Parts = Awaited<ReturnType<AskingOptions['consuming']>>;

function make() {
  const published: PublishProperties[] = [];
  let connect = () => {};
  const parts = {
    topology: { declareExactly: async () => {}, bind: async () => {} },
    consumers: { consume: async () => {} },
  } as unknown as Parts;
  const options: AskingOptions = {
    name: 'shop',
    publisher: {
      publish: async (_exchange, _key, _body, properties) => {
        published.push(properties);
        return 'routed';
      },
    },
    consuming: () =>
      new Promise((resolve) => {
        connect = () => resolve(parts);
      }),
  };
  const asks = new Asks(options);
  const presence = new PresenceQuestions(options);
  const questions = {
    ask: () => asks.ask('alice', 'order.confirm', 7, { timeoutMs: 3_000 }),
    online: () => presence.user('alice', { timeoutMs: 3_000 }),
    presence: () => presence.topic('room.42', { timeoutMs: 3_000 }),
  };
  return { published, questions, connect: () => connect() };
}

const rows = ['ask', 'online', 'presence'] as const;

it.each(rows)('the first %s takes no longer than it may, also while answers cannot be had', async (what) => {
  const { published, questions } = make();
  const late = expect(questions[what]()).rejects.toMatchObject({ name: 'AskError', code: 'timeout' });
  await vi.advanceTimersByTimeAsync(3_000);
  await late;
  expect(published).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

it.each(rows)('what the first %s has waited for that is part of its time', async (what) => {
  const { published, questions, connect } = make();
  const over = vi.fn();
  questions[what]().catch(over);
  await vi.advanceTimersByTimeAsync(2_000);
  connect();
  await vi.advanceTimersByTimeAsync(0);
  expect(published).toMatchObject([{ expiration: 1_000 }]);
  // What the mesh itself has to say may come a moment later.
  await vi.advanceTimersByTimeAsync(what === 'ask' ? 4_000 : 1_000);
  expect(over).toHaveBeenCalledOnce();
});

it.each(rows)('a later %s has all of its time', async (what) => {
  const { published, questions, connect } = make();
  for (const n of [1, 2]) {
    questions[what]().catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    if (n === 1) connect();
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(published.map(({ expiration }) => expiration)).toEqual([3_000, 3_000]);
});
