import type { PresenceNews } from '@evenkeel/client';
import { eventually, type ScriptedConnection } from '@evenkeel/testkit';
import { expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

const user = (name: string) => ({ user: name, sessions: 1, since: 1 });
/** As it is kept: on how many sessions, and since when, is told in an answer alone. */
const kept = (name: string) => ({ user: name });
const names = ({ users }: Pick<PresenceNews, 'users'>) => users?.map((each) => each.user);

/** Answers the next question who is there. */
async function answer(at: ScriptedConnection, data: object): Promise<void> {
  const { id } = await at.take('presence');
  at.send({ t: 'ok', re: id, data });
}

async function watching() {
  const s = await scripted({ info: { name: 'Alice' } });
  const news: PresenceNews[] = [];
  const topic = s.client.topic('room.1', { last: 3 });
  const stop = topic.on('presence', (each) => news.push(each));
  const at = await s.a.next();
  const hello = await at.take('hello');
  return { ...s, topic, news, stop, at, hello };
}

it('who watches a topic is told who is there, and goes on from that with what is told, in place of what came before the answer', async () => {
  const { at, hello, news } = await watching();
  // Its messages nobody hears yet.
  expect(hello).toMatchObject({ topics: [{ topic: 'room.1', presence: true }], info: { name: 'Alice' } });
  expect(hello.topics?.[0]).not.toHaveProperty('last');
  at.send({ t: 'presence', topic: 'room.1', joined: [{ user: 'early' }], left: [], count: 1 });
  await answer(at, { count: 2, users: [user('alice'), user('bob')] });
  at.send({
    t: 'presence',
    topic: 'room.1',
    joined: [{ user: 'carol', info: 7 }],
    left: ['bob', 'dave'],
    count: 2,
  });
  at.send({ t: 'presence', topic: 'room.2', joined: [{ user: 'elsewhere' }], left: [], count: 9 });
  await eventually('both', () => news.length === 2);
  expect(news[0]).toEqual({
    topic: 'room.1',
    count: 2,
    users: [kept('alice'), kept('bob')],
    joined: [kept('alice'), kept('bob')],
    left: [],
  });
  expect(news[1]).toMatchObject({ count: 2, joined: [{ user: 'carol', info: 7 }], left: ['bob'] });
  expect(names(news[1] ?? {})).toEqual(['alice', 'carol']);
});

it('it is asked again after a loss and a gap, and told is only what differs', async () => {
  const { at, a, news } = await watching();
  await answer(at, { count: 2, users: [user('alice'), user('bob')] });
  await eventually('told', () => news.length === 1);
  at.terminate();
  const again = await a.next();
  await answer(again, { count: 2, users: [user('alice'), user('carol')] });
  await eventually('told again', () => news.length === 2);
  expect(news[1]).toMatchObject({ joined: [kept('carol')], left: ['bob'] });
  again.send({ t: 'gap', topic: 'room.1', reason: 'broker-lost' });
  await answer(again, { count: 1, users: [user('alice')] });
  await eventually('told after the gap', () => news.length === 3);
  expect(news[2]).toMatchObject({ joined: [], left: ['carol'] });
});

it('a question that is refused for now is asked again, and what is told after any refusal begins with a new one', async () => {
  const { at, news, status } = await watching();
  const refuse = async (code: string) => {
    const { id } = await at.take('presence');
    at.send({ t: 'error', re: id, code, message: 'no' });
  };
  await refuse('broker-unavailable');
  await answer(at, { count: 1, users: [user('alice')] });
  await eventually('told', () => news.length === 1);
  at.send({ t: 'gap', topic: 'room.1', reason: 'broker-lost' });
  await refuse('forbidden');
  expect(await status('error')).toMatchObject({ code: 'forbidden' });
  at.send({ t: 'presence', topic: 'room.1', joined: [{ user: 'bob' }], left: [], count: 2 });
  await answer(at, { count: 2, users: [user('bob'), user('carol')] });
  await eventually('told again', () => news.length === 2);
  expect(news[1]).toMatchObject({ joined: [kept('bob'), kept('carol')], left: ['alice'] });
});

it('in a move what the old edge tells late does not count behind the answer of the new one', async () => {
  const { at, b, news } = await watching();
  await answer(at, { count: 2, users: [user('alice'), user('bob')] });
  at.move(b);
  const next = await b.next();
  await answer(next, { count: 1, users: [user('alice')] });
  await eventually('told by the new edge', () => news.length === 2);
  at.send({ t: 'presence', topic: 'room.1', joined: [{ user: 'bob' }], left: [], count: 2 });
  at.moved();
  await at.closed();
  next.send({ t: 'presence', topic: 'room.1', joined: [{ user: 'carol' }], left: [], count: 2 });
  await eventually('told of carol', () => news.length === 3);
  expect(names(news[2] ?? {})).toEqual(['alice', 'carol']);
});

it('of a crowd the number alone is told, and names when there are few again', async () => {
  const { at, news } = await watching();
  await answer(at, { count: 1_200 });
  at.send({ t: 'presence', topic: 'room.1', count: 1_100 });
  await eventually('two counts', () => news.length === 2);
  expect(news.map(({ count, users }) => [count, users])).toEqual([
    [1_200, undefined],
    [1_100, undefined],
  ]);
  at.send({ t: 'presence', topic: 'room.1', joined: [{ user: 'last' }], left: [], count: 900 });
  await answer(at, { count: 2, users: [user('alice'), user('bob')] });
  await eventually('names', () => news.length === 3);
  expect(names(news[2] ?? {})).toEqual(['alice', 'bob']);
});

it('a topic that is subscribed already asks for it once more, without its past, and stops with its handler', async () => {
  const s = await scripted();
  const at = await s.connected();
  await at.take('hello');
  const topic = s.client.topic('room.1', { last: 3 });
  topic.on('message', () => {});
  await topic.ready();
  expect(await at.take('subscribe')).toMatchObject({ last: 3 });
  const stop = topic.on('presence', () => {});
  const { id: _, ...frame } = await at.take('subscribe');
  expect(frame).toEqual({ t: 'subscribe', topic: 'room.1', presence: true });
  await answer(at, { count: 0, users: [] });
  stop();
  at.send({ t: 'gap', topic: 'room.1', reason: 'broker-lost' });
  const asked = topic.presence();
  const { id } = await at.take('presence');
  at.send({ t: 'error', re: id, code: 'no-presence', message: 'none' });
  await expect(asked).rejects.toMatchObject({ code: 'no-presence' });
});
