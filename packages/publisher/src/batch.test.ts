import { setImmediate as turn } from 'node:timers/promises';
import type { MeshDefinition, StandardSchema } from '@evenkeel/protocol/wire';
import { describe, expect, it } from 'vitest';
import { sendBatch, sendEach } from './batch.js';
import { Checking } from './checking.js';
import { Publishing, type PublishingOptions } from './publishing.js';
import type { BatchEvent } from './types.js';

const wrong = { issues: [{ message: 'wrong' }] };
const schema = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
  '~standard': { version: 1, vendor: 'test', validate },
});

function make(events: MeshDefinition['events'] = {}) {
  const sent: string[] = [];
  const publishing = new Publishing({
    confirms: {
      publish: async (_exchange: string, key: string) => {
        sent.push(key);
        return 'routed';
      },
    },
    tracing: { active: () => undefined },
  } as unknown as PublishingOptions);
  const checking = new Checking({ events });
  const batch = (...all: unknown[]) => sendBatch(publishing, all as BatchEvent[], checking);
  const each = (users: string[]) => sendEach(publishing, { users, event: 'x', payload: 1 }, checking);
  return { sent, batch, each };
}

describe('a batch of which something is wrong', () => {
  it('rejects once, where one schema says so later and another at once', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', onUnhandled);
    const { sent, batch } = make({ later: schema(async () => wrong), now: schema(() => wrong) });
    const events = ['later', 'now'].map((event) => ({ user: 'alice', event, payload: 1 }));
    await expect(batch(...events)).rejects.toMatchObject({ code: 'bad-data' });
    await turn();
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).toEqual([]);
    expect(sent).toEqual([]);
  });

  it.each([
    ['two targets', { user: 'alice', users: ['bob'] }, /1 of the batch: it has user and users/],
    ['two targets, one of them undefined', { user: 'alice', users: undefined }, /it has user and users/],
    ['a user and a topic', { user: 'alice', topic: 'prices' }, /it has user and topic/],
    ['no target', {}, /it has none of user, users, topic/],
    ['no users', { users: [] }, /users is an array with at least one user/],
    ['users that are a text', { users: 'alice' }, /users is an array with at least one user/],
    ['users that are undefined', { users: undefined }, /users is an array with at least one user/],
  ])('is refused where an event has %s, and nothing is sent', async (_what, target, message) => {
    const { sent, batch } = make();
    const fine = { user: 'bob', event: 'x', payload: 1 };
    const refused = { code: 'bad-option', message: expect.stringMatching(message) };
    await expect(batch(fine, { ...target, event: 'x', payload: 1 })).rejects.toMatchObject(refused);
    expect(sent).toEqual([]);
  });

  it.each([null, undefined, 'x'])('is refused where an event is %j', async (event) => {
    await expect(make().batch(event)).rejects.toMatchObject({ code: 'bad-option' });
  });
});

it('one event to several users is one message for each of them, also for who is named twice', async () => {
  const { sent, each } = make();
  const published = await each(['alice', 'bob', 'alice']);
  expect(sent).toEqual(['user.alice.x', 'user.bob.x']);
  const [alice, bob, again] = published.map(({ id }) => id);
  expect(again).toBe(alice);
  expect(bob).not.toBe(alice);
  expect(await each([])).toEqual([]);
});

it('an event to many users may have an identity, which all of its messages have', async () => {
  const { sent, batch } = make();
  const users = Array.from({ length: 300 }, (_, n) => `user-${n}`);
  const options = { id: 'sale-7' };
  const [result] = await batch({ users, event: 'sale', payload: 1, options });
  expect(sent.length).toBeGreaterThan(1);
  expect(result).toEqual({ ids: ['sale-7'], routed: true });
});
