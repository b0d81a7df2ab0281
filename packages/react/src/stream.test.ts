import { expect, it, vi } from 'vitest';
import { mount } from '../testing/mount.js';
import type { AnyClient } from './provider.js';
import { useAnyStream } from './stream.js';

/** A client whose answers have one part, their method, and go on for ever. */
function asked() {
  const streams: { readonly method: string; isCancelled: boolean }[] = [];
  const client = {
    stream: (method: string) => {
      const stream = { method, isCancelled: false };
      streams.push(stream);
      const parts = [method];
      return {
        next: async () =>
          parts.length > 0 ? { done: false, value: parts.shift() } : new Promise<never>(() => {}),
        return: () => {
          stream.isCancelled = true;
        },
      };
    },
  } as unknown as AnyClient;
  return { client, streams };
}

it.each(['method', 'client'])(
  'a component that gets another %s cancels and begins anew with nothing',
  async (what) => {
    const one = asked();
    const two = what === 'client' ? asked() : one;
    const other = what === 'client' ? 'a' : 'b';
    const { render, renders, seen } = mount(useAnyStream);
    await render('a', one.client);
    const early = seen();
    early.ask();
    await vi.waitFor(() => expect(seen()).toMatchObject({ state: 'asking', parts: ['a'] }));

    const before = renders.length;
    await render(other, two.client);
    expect(renders.slice(before).map(({ state, parts }) => ({ state, parts }))).toEqual(
      renders.slice(before).map(() => ({ state: 'idle', parts: [] })),
    );
    expect(one.streams).toEqual([{ method: 'a', isCancelled: true }]);
    early.ask();
    expect(one.streams).toHaveLength(1);
    seen().ask();
    await vi.waitFor(() => expect(seen()).toMatchObject({ state: 'asking', parts: [other] }));
    expect(two.streams.at(-1)).toEqual({ method: other, isCancelled: false });

    await render('a', one.client);
    expect(seen()).toMatchObject({ state: 'idle', parts: [] });
    expect(two.streams.at(-1)).toEqual({ method: other, isCancelled: true });
  },
);

it('a component that has gone asks nothing any more', async () => {
  const { client, streams } = asked();
  const { render, seen } = mount(useAnyStream);
  await render('a', client);
  seen().ask();
  await render('a');
  expect(streams).toEqual([{ method: 'a', isCancelled: true }]);
  seen().ask();
  expect(streams).toHaveLength(1);
});
