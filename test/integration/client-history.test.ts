import { connect, type TopicWishes } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, type ScriptedConnection } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import WebSocket from 'ws';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';
import { scripted, subscribed } from '../support/scripted-edge-client.js';

it('a client says after each loss up to which position it has a topic with history', async () => {
  const s = await subscribed();
  s.at.send({ t: 'message', topic: 'news', id: '1', data: 1, at: 1, position: '7-abcdefghij' });
  await eventually('the message', () => s.got.length === 1);
  s.mesh.target = s.b;
  s.at.terminate();
  const b = await s.b.next();
  expect((await b.take('hello')).topics).toEqual([{ topic: 'news', since: '7-abcdefghij' }]);
  b.welcome({ resumed: true });
  b.send({ t: 'message', topic: 'news', id: '2', data: 2, at: 2, position: '9-abcdefghij', past: true });
  await eventually('the next', () => s.got.length === 2);
  b.terminate();
  const again = await s.b.next();
  expect((await again.take('hello')).topics).toEqual([{ topic: 'news', since: '9-abcdefghij' }]);
});

it('a topic with history has a gap where the old socket of a move ends without a word: what it was written is not known', async () => {
  const s = await subscribed();
  s.at.message('news', '1', { position: '7-abcdefghij' });
  await eventually('the message', () => s.got.length === 1);
  s.at.move(s.b);
  const b = await s.b.next();
  expect((await b.take('hello')).topics).toEqual([{ topic: 'news', since: '7-abcdefghij' }]);
  s.at.terminate();
  expect(await s.status('gap')).toMatchObject({ topic: 'news', reason: 'connection-lost' });
});

it('what is asked of the past before there is a connection is said once, by hello, and later by subscribe again', async () => {
  const s = await scripted();
  s.client.topic('news', { last: 3 }).on('message', () => {});
  s.client.topic('plain').on('message', () => {});
  const at = await s.a.next();
  expect((await at.take('hello')).topics).toEqual([{ topic: 'news', last: 3 }, 'plain']);
  const { id, ...waited } = await at.take('subscribe');
  expect(waited).toEqual({ t: 'subscribe', topic: 'news' });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'plain' });
  const later = await s.client.subscribe('later', () => {}, { last: 2 });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'later', last: 2 });
  await later.unsubscribe();
  await s.client.subscribe('later', () => {}, { last: 1 });
  expect(await at.take('subscribe')).toMatchObject({ topic: 'later', last: 1 });
});

it('a topic that is left and joined again without a connection begins anew', async () => {
  const s = await subscribed();
  s.at.message('news', '1', { position: '7-abcdefghij' });
  await eventually('the message', () => s.got.length === 1);
  s.mesh.target = undefined;
  s.at.terminate();
  await s.status('disconnected');
  await s.subscription.unsubscribe();
  const again = s.client.subscribe('news', () => {}, { last: 3 });
  s.mesh.target = s.b;
  const b = await s.b.next();
  expect((await b.take('hello')).topics).toEqual([{ topic: 'news', last: 3 }]);
  await again;
});

/** A client that has subscribed `room`, which its edge has said to begin at 5, and then sent a ping that nobody has answered. */
async function begun(wishes: TopicWishes) {
  const s = await scripted();
  for (const edge of [s.a, s.b]) Object.assign(edge.defaults, { answer: false, pong: false });
  const at = await s.connected();
  const got: string[] = [];
  const subscribing = s.client.subscribe('room', ({ id }) => got.push(id), wishes);
  const { id: re } = await at.take('subscribe');
  at.send({ t: 'ok', re, data: { position: '5-abcdefghij', recovered: true } });
  const subscription = await subscribing;
  /** Answers the ping; resolves when the client has that. */
  const answerPing = async (connection = at): Promise<void> => {
    await connection.take('ping');
    connection.send({ t: 'pong' });
    connection.event(`behind the pong of ${connection.name}`);
    await eventually('the pong', () => s.events.includes(`behind the pong of ${connection.name}`));
  };
  /** What the next `hello` says of its topics. */
  const lost = async (connection = at) => {
    s.mesh.target = s.b;
    connection.terminate();
    const next = await s.b.next();
    return { next, topics: (await next.take('hello')).topics };
  };
  return { ...s, at, got, subscription, answerPing, lost };
}

const sayBegun = (connection: ScriptedConnection, position: string, recovered: boolean): void =>
  connection.send({ t: 'subscribed', topic: 'room', by: 'hello', position, recovered });

it.each([{ last: 20 }, {}])('a quiet topic, subscribed with %j, goes on where it began', async (wishes) => {
  const { got, answerPing, lost } = await begun(wishes);
  await answerPing();
  const { next, topics } = await lost();
  expect(topics).toEqual([{ topic: 'room', since: '5-abcdefghij' }]);
  next.message('room', '1', { position: '7-abcdefghij', past: true });
  await eventually('what was missed', () => got.length === 1);
  expect((await lost(next)).topics).toEqual([{ topic: 'room', since: '7-abcdefghij' }]);
});

it('a topic whose past may be under way, and none of it has come, begins anew after a loss', async () => {
  const { answerPing, lost } = await begun({ last: 20 });
  const { next, topics } = await lost();
  expect(topics).toEqual([{ topic: 'room', last: 20 }]);
  sayBegun(next, '6-abcdefghij', true);
  await answerPing(next);
  expect((await lost(next)).topics).toEqual([{ topic: 'room', since: '6-abcdefghij' }]);
});

it('a topic that is asked for behind a position is there until a message of it has come', async () => {
  const { lost } = await begun({ since: '2-abcdefghij' });
  expect((await lost()).topics).toEqual([{ topic: 'room', since: '2-abcdefghij' }]);
});

it('a message counts for more than where its topic began', async () => {
  const { at, got, answerPing, lost } = await begun({ last: 20 });
  at.message('room', '1', { position: '3-abcdefghij', past: true });
  await answerPing();
  expect(got).toEqual(['1']);
  expect((await lost()).topics).toEqual([{ topic: 'room', since: '3-abcdefghij' }]);
});

it('a position behind which something is gone is not said again', async () => {
  const { answerPing, lost } = await begun({});
  await answerPing();
  const { next } = await lost();
  sayBegun(next, '90-klmnopqrst', false);
  next.send({ t: 'gap', topic: 'room', reason: 'history-lost' });
  await answerPing(next);
  expect((await lost(next)).topics).toEqual([{ topic: 'room', since: '90-klmnopqrst' }]);
});

it('a hundred topics that begin at once take a few pings', async () => {
  const s = await scripted();
  s.a.defaults.answer = false;
  s.a.onFrame = (connection, frame) => {
    if (frame.t === 'subscribe')
      connection.send({ t: 'ok', re: frame.id, data: { position: '5-abcdefghij', recovered: true } });
  };
  const at = await s.connected();
  const names = Array.from({ length: 100 }, (_, n) => `room.${n}`);
  await Promise.all(names.map((name) => s.client.subscribe(name, () => {})));
  await at.take('ping');
  expect(at.all('ping').length).toBeLessThan(20);
});

it('what is published in quiet rooms while the socket is lost comes afterwards, and there is no gap', async () => {
  const room = { subscribe: 'anyone', history: { size: 100, seconds: 3600 } };
  const EVENKEEL_NAMESPACES = JSON.stringify({ namespaces: { room } });
  const mesh = await startTestMesh({ edges: 1, balancer: false, env: { EVENKEEL_NAMESPACES } });
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'rooms' });
  onTestFinished(() => publisher.close());
  const cable = { isCut: false, sockets: [] as WebSocket[] };
  class CutWebSocket extends WebSocket {
    constructor(...dialled: [string, string[]?]) {
      if (cable.isCut) throw new Error('the cable is cut');
      super(...dialled);
      cable.sockets.push(this);
    }
  }
  const client = connect({
    gateway: mesh.gatewayUrl,
    user: 'alice',
    WebSocket: CutWebSocket,
    backoff: { minMs: 5, maxMs: 50 },
  });
  onTestFinished(() => client.close());
  const got: Record<string, unknown[]> = { 'room.last': [], 'room.bare': [] };
  const gaps: unknown[] = [];
  client.onStatus((status) => status.type === 'gap' && gaps.push(status));
  await client.subscribe('room.last', ({ data }) => got['room.last']?.push(data), { last: 20 });
  await client.subscribe('room.bare', ({ data }) => got['room.bare']?.push(data));
  // Answered behind the pings.
  await client.topic('room.bare').history({ last: 1 });
  cable.isCut = true;
  for (const socket of cable.sockets) socket.terminate();
  for (const n of range(1, 50)) for (const topic of Object.keys(got)) await publisher.toTopic(topic, n);
  cable.isCut = false;
  await client.ready();
  await publisher.toTopic('room.last', 51);
  await publisher.toTopic('room.bare', 51);
  await vi.waitFor(() => expect(got).toEqual({ 'room.last': range(1, 51), 'room.bare': range(1, 51) }), {
    timeout: 20_000,
    interval: 20,
  });
  expect(gaps).toEqual([]);
});
