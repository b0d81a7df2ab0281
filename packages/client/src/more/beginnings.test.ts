import { ScriptedMesh } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { connect } from '../node.js';

/** A client that watches who is in a room, at an edge whose answers the test gives, and what it hears of the room. */
async function watching() {
  const mesh = await ScriptedMesh.start();
  onTestFinished(() => mesh.close());
  const edge = await mesh.edge('edge-1');
  edge.defaults.answer = false;
  const client = connect({
    gateway: mesh.gateway,
    user: 'alice',
    storage: false,
    backoff: { minMs: 1, maxMs: 5 },
  });
  onTestFinished(() => client.close());
  client.topic('room').on('presence', () => {});
  const heard: unknown[] = [];
  const hear = (last?: number): void =>
    void client.topic('room', { last }).on('message', ({ data, past }) => void heard.push([data, past]));
  /** The next socket of the client, behind its `hello`. */
  const next = async () => {
    const socket = await edge.next();
    await client.ready();
    return socket;
  };
  return { client, heard, hear, next };
}
type Edge = Awaited<ReturnType<Awaited<ReturnType<typeof watching>>['next']>>;

/** Answers the next `subscribe`, which says `last` or nothing of the past. */
async function answer(at: Edge, last?: number): Promise<void> {
  const { id, topic, ...wishes } = await at.take('subscribe');
  expect([topic, (wishes as { last?: number }).last]).toEqual(['room', last]);
  at.send({ t: 'ok', re: String(id) });
}
const past = { past: true } as const;

it('who wants the past of a topic that was subscribed for its presence alone has it begin anew', async () => {
  const { heard, hear, next } = await watching();
  const at = await next();
  await answer(at);
  at.message('room', 'before');
  hear(2);
  // Of the past that comes behind the answer.
  at.message('room', 'meanwhile');
  await answer(at, 2);
  at.message('room', 'before', past);
  at.message('room', 'meanwhile', past);
  at.message('room', 'after');
  await vi.waitFor(() =>
    expect(heard).toEqual([
      ['before', true],
      ['meanwhile', true],
      ['after', undefined],
    ]),
  );

  // Others hear its messages now, which must not come to them twice.
  hear(2);
  at.message('room', 'both');
  await vi.waitFor(() =>
    expect(heard.slice(3)).toEqual([
      ['both', undefined],
      ['both', undefined],
    ]),
  );
  expect(at.all('subscribe')).toHaveLength(2);
});

it('also after a loss, where `hello` has named the topic; and again where it was lost before the answer', async () => {
  const { heard, hear, next } = await watching();
  const first = await next();
  await answer(first);
  first.terminate();
  const second = await next();
  hear(2);
  expect(await second.take('subscribe')).toMatchObject({ topic: 'room', last: 2 });
  second.terminate();
  const third = await next();
  third.message('room', 'early', past);
  await answer(third, 2);
  third.message('room', 'early', past);
  third.message('room', 'late');
  await vi.waitFor(() =>
    expect(heard).toEqual([
      ['early', true],
      ['late', undefined],
    ]),
  );
});

it('who subscribes without a connection says it in `hello`, and once', async () => {
  const { heard, hear, next } = await watching();
  hear(2);
  const at = await next();
  const [hello] = at.all('hello');
  expect(hello?.topics).toEqual([{ topic: 'room', presence: true, last: 2 }]);
  await answer(at);
  at.message('room', 'early', past);
  await vi.waitFor(() => expect(heard).toEqual([['early', true]]));
  expect(at.all('subscribe')).toHaveLength(1);
});
