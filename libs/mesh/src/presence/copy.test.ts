import { copyKey, exchanges, type PresenceNews, presenceKey } from '@evenkeel/protocol';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { OwnQueue } from '../own-queue.js';
import { FakeConnection } from '../testing/fake-connection.js';
import { PresenceCopy } from './copy.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const topic = 'room.1';

/** A copy kept by edge `a`, or by who is no edge, of what edges `a`, `b` and `c` say while publishing is not blocked. */
async function world({ isEdge }: { isEdge: boolean }) {
  const connection = new FakeConnection();
  connection.exchanges.add(exchanges.presence);
  const state = { edges: new Set(['b', 'c']), isBlocked: false };
  const said = (news: PresenceNews, key = presenceKey(news.node)) =>
    connection.deliver({
      exchange: exchanges.presence,
      key,
      body: Buffer.from(JSON.stringify(news)),
    });
  const copy: PresenceCopy = new PresenceCopy({
    mesh: {
      user: undefined,
      publisher: {
        publish: async (_exchange, _key, body) => {
          const ask = JSON.parse(String(body)) as { t: string; ask: string };
          if (state.isBlocked || ask.t !== 'who') return 'routed';
          for (const node of state.edges)
            said({ t: 'sessions', node, boot: 'x', ask: ask.ask, sessions: [] }, copyKey(copy.id));
          return 'routed';
        },
      },
      ownQueue: (options) => new OwnQueue(connection, options),
    },
    queue: 'presence',
    ...(isEdge && {
      own: { node: 'a', boot: 'x', sessionsOf: () => [], onAsk: () => {}, onEntered: () => {} },
    }),
    now: () => Date.now(),
  });
  onTestFinished(() => copy.stop());
  await copy.start();
  const beats = setInterval(() => {
    if (state.isBlocked) return;
    for (const node of [...(isEdge ? ['a'] : []), ...state.edges])
      said({ t: 'beat', node, boot: 'x', seq: 1 });
  }, 1_000);
  onTestFinished(() => clearInterval(beats));
  const enter = (node: string) =>
    said({ t: 'delta', node, boot: 'x', seq: 1, in: [[topic, [[`of-${node}`, 's', 1]]]], out: [] });
  const there = () => [...copy.roster.of(topic)].map(({ uid }) => uid).sort();
  const user = async () => {
    const asked = copy.user('nobody');
    await vi.advanceTimersByTimeAsync(1_000);
    return await asked;
  };
  return { copy, state, enter, there, user, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

it('an edge takes nobody for gone while it does not hear itself either, as while an alarm blocks publishing', async () => {
  const { state, enter, there, user, pass } = await world({ isEdge: true });
  for (const node of ['b', 'c']) enter(node);
  await pass(3_000);
  expect(await user()).toMatchObject({ complete: true });

  state.isBlocked = true;
  await pass(600_000);
  expect(there()).toEqual(['of-b', 'of-c']);
  expect(await user()).toMatchObject({ complete: false });

  // It was lost meanwhile.
  state.edges.delete('c');
  state.isBlocked = false;
  await pass(4_000);
  expect(there()).toEqual(['of-b', 'of-c']);
  await pass(4_000);
  expect(there()).toEqual(['of-b']);
});

it('who is no edge lets stand what all have said for 60 s where they fall silent at once', async () => {
  const { state, enter, there, pass } = await world({ isEdge: false });
  for (const node of ['b', 'c']) enter(node);
  await pass(3_000);
  state.isBlocked = true;
  await pass(58_000);
  expect(there()).toEqual(['of-b', 'of-c']);
  await pass(4_000);
  expect(there()).toEqual([]);
});

it.each([{ isEdge: true }, { isEdge: false }])(
  'an edge that is silent alone is gone after 5 s: %o',
  async (at) => {
    const { state, enter, there, pass } = await world(at);
    for (const node of ['b', 'c']) enter(node);
    await pass(3_000);
    state.edges.delete('c');
    await pass(4_000);
    expect(there()).toEqual(['of-b', 'of-c']);
    await pass(3_000);
    expect(there()).toEqual(['of-b']);
  },
);

it('that nobody else is there is known to an edge that hears itself, and to nobody else', async () => {
  const alone = await world({ isEdge: true });
  alone.state.edges.clear();
  alone.state.isBlocked = true;
  await alone.pass(10_000);
  expect(alone.copy.hasBeenComplete).toBe(false);
  expect(await alone.user()).toMatchObject({ online: false, complete: false });
  alone.state.isBlocked = false;
  await alone.pass(3_000);
  expect(alone.copy.hasBeenComplete).toBe(true);
  expect(await alone.user()).toMatchObject({ online: false, complete: true });

  const api = await world({ isEdge: false });
  api.state.edges.clear();
  await api.pass(10_000);
  expect(api.copy.completeness()).toBe('no edge is heard of');
  expect(await api.user()).toMatchObject({ online: false, complete: false });
});
