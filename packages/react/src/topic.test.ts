import { expect, it, vi } from 'vitest';
import { mount } from '../testing/mount.js';
import type { AnyClient } from './provider.js';
import { useAnyPresence } from './topic.js';

/** A client that tells who is in a topic when the test says so. */
function watching() {
  const heard = new Set<(news: object) => void>();
  const client = {
    state: 'connected',
    topic: () => {
      const mine: ((news: object) => void)[] = [];
      return {
        on: (kind: string, handler: (news: object) => void) => {
          if (kind !== 'presence') return;
          mine.push(handler);
          heard.add(handler);
        },
        close: async () => {
          for (const handler of mine) heard.delete(handler);
        },
      };
    },
  } as unknown as AnyClient;
  const tell = (...users: string[]): void => {
    for (const handler of heard) handler({ count: users.length, users: users.map((user) => ({ user })) });
  };
  return { client, tell };
}

it('who is in a topic is not known until it was told, also of a topic of before and of another client', async () => {
  const one = watching();
  const two = watching();
  const { render, renders, seen } = mount<string | null, ReturnType<typeof useAnyPresence>>(useAnyPresence);
  const undefinedSince = async (then: () => Promise<void>): Promise<void> => {
    const before = renders.length;
    await then();
    expect([...new Set(renders.slice(before))]).toEqual([undefined]);
  };
  const here = (user: string) => ({ count: 1, users: [{ user }] });
  await undefinedSince(() => render('room.1', one.client));
  one.tell('ann');
  await vi.waitFor(() => expect(seen()).toMatchObject(here('ann')));

  await undefinedSince(() => render(null, one.client));
  await undefinedSince(() => render('room.1', one.client));
  one.tell('bob');
  await vi.waitFor(() => expect(seen()).toMatchObject(here('bob')));

  await undefinedSince(() => render('room.1', two.client));
  two.tell('cid');
  await vi.waitFor(() => expect(seen()).toMatchObject(here('cid')));
});
