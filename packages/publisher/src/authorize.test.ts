import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { World } from '../testing/service-world.js';
import { answering, authorizing, questionKey } from './authorize.js';
import type { AuthorizeHandler } from './types.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const asked = { user: 'alice', session: 's1', action: 'subscribe', topic: 'shop.42' };

/** A service that decides who may, and what it answers. */
async function deciding(handler: AuthorizeHandler) {
  const world = new World();
  const log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (fields: object, message: string) =>
      void world.logged.push({
        level: 'error',
        message,
        error: 'error' in fields ? String(fields.error) : undefined,
      }),
  };
  const served = { kind: 'request' as const, pattern: questionKey('shop.#') };
  await world.start(served, answering(handler, log), authorizing({}));
  const answers = () => world.replies.map(({ body }) => JSON.parse(body.toString()));
  const ask = (id: string, body: unknown = asked) => world.question(id, '$authorize.subscribe.shop.42', body);
  return { world, ask, answers };
}

it.each([
  [true, { allow: true }],
  [false, { allow: false }],
  [
    { allow: true, ttlMs: 5_000 },
    { allow: true, ttlMs: 5_000 },
  ],
])('what the handler answers to a question, %o, is what the edge gets', async (answer, told) => {
  const handler = vi.fn<AuthorizeHandler>(async () => answer);
  const { ask, answers } = await deciding(handler);
  ask('1');
  await vi.advanceTimersByTimeAsync(0);
  expect(answers()).toEqual([told]);
  expect(handler.mock.calls).toMatchObject([[asked]]);
});

it.each<[string, AuthorizeHandler]>([
  ['throws', () => Promise.reject(new Error('database away'))],
  ['answers nonsense', () => ({ allow: 'yes' }) as unknown as boolean],
  ['answers nothing', () => undefined as unknown as boolean],
  ['gives its answer for ever', () => ({ allow: true, ttlMs: Number.POSITIVE_INFINITY })],
])('nobody may where the handler %s, for a second, and the log says so', async (_, handler) => {
  const { world, ask, answers } = await deciding(handler);
  ask('1');
  await vi.advanceTimersByTimeAsync(0);
  expect(answers()).toEqual([{ allow: false, ttlMs: 1_000 }]);
  expect(world.logged.map(({ message }) => message)).toEqual(['not decided who may do it: not allowed']);
});

it('what is no question is answered with no, and reaches no handler', async () => {
  const handler = vi.fn(() => true);
  const { ask, answers } = await deciding(handler);
  for (const body of [null, 7, {}, { ...asked, action: 'delete' }, { ...asked, user: 1 }]) ask('1', body);
  await vi.advanceTimersByTimeAsync(0);
  expect(answers().every(({ allow }) => allow === false)).toBe(true);
  expect(handler).not.toHaveBeenCalled();
});

it('questions of one session are decided at once, and the same one again when it is asked again', async () => {
  let open = (_: boolean): void => {};
  const handler = vi.fn(() => new Promise<boolean>((resolve) => (open = resolve)));
  const { ask, answers } = await deciding(handler);
  ask('1');
  ask('2');
  await vi.advanceTimersByTimeAsync(0);
  expect(handler).toHaveBeenCalledTimes(2);
  open(true);
  await vi.advanceTimersByTimeAsync(0);
  expect(answers()).toEqual([{ allow: true }]);
  ask('2');
  await vi.advanceTimersByTimeAsync(0);
  expect(handler).toHaveBeenCalledTimes(3);
});

it('its queue is of the namespace that it decides about, and goes with its last instance', async () => {
  const { world } = await deciding(() => true);
  expect(world.calls.filter((call) => !call.startsWith('consume'))).toEqual([
    expect.stringMatching(/^declare service\.shop\.method:\$authorize\.\+\.shop\.\+\+ /),
    'declare service.shop.$authorize.+.shop.++ auto-delete',
    'bind service.shop.$authorize.+.shop.++ mesh.inbound $authorize.*.shop.#',
  ]);
});

it('a service of all methods is asked none of it', async () => {
  const world = new World();
  const handler = vi.fn();
  await world.start({ kind: 'request', pattern: '#' }, handler);
  world.question('1', '$authorize.subscribe.shop.42', asked);
  await vi.advanceTimersByTimeAsync(0);
  expect(handler).not.toHaveBeenCalled();
  expect(world.replies).toEqual([]);
});
