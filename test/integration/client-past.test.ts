import { type ClientError, connect } from '@evenkeel/client';
import { createPublisher } from '@evenkeel/publisher';
import { eventually } from '@evenkeel/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { askToMove } from '../support/asked-move.js';
import { range } from '../support/edge.js';
import { startTestMesh } from '../support/mesh.js';
import { scripted } from '../support/scripted-edge-client.js';

const patience = { timeout: 20_000, interval: 20 };
const kept = { subscribe: 'anyone', history: { size: 500, seconds: 3600 } };
const EVENKEEL_NAMESPACES = JSON.stringify({
  namespaces: {
    room: kept,
    short: { subscribe: 'anyone', history: { size: 5, seconds: 3600 } },
    closed: { ...kept, subscribe: 'nobody' },
    plain: { subscribe: 'anyone' },
  },
});
const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    ({ code }: ClientError) => code,
  );

it('what a topic has kept is read without a subscription, by position or number, also while its edge is left', async () => {
  const mesh = await startTestMesh({
    edges: 2,
    balancer: false,
    env: { EVENKEEL_NAMESPACES, EVENKEEL_REACHABILITY_URL: 'off', EVENKEEL_HISTORY_TAIL_MESSAGES: '20' },
  });
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'rooms' });
  onTestFinished(() => publisher.close());
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());
  const room = client.topic<number>('room.1');
  expect(await room.history()).toEqual({ messages: [], position: expect.any(String) });
  for (const n of range(1, 300)) await publisher.toTopic('room.1', n);
  await vi.waitUntil(async () => (await room.history({ last: 1 })).messages[0]?.data === 300, patience);

  const numbers = async (wanted: Parameters<typeof room.history>[0]) =>
    (await room.history(wanted)).messages.map(({ data }) => data);
  expect(await numbers({ last: 3 })).toEqual([298, 299, 300]);
  expect(await numbers({})).toEqual(range(1, 300));
  const { messages, position } = await room.history({ last: 100 });
  expect(messages[0]).toMatchObject({ topic: 'room.1', data: 201, past: true, position: expect.any(String) });
  const since = messages[9]?.position as string;
  expect(await numbers({ since })).toEqual(range(211, 300));
  expect(await numbers({ since: position as string })).toEqual([]);

  // A subscription hears nothing of it.
  const heard: unknown[] = [];
  room.on('message', ({ data }) => heard.push(data));
  await room.ready();
  await client.subscribe('room.*', ({ data }) => void heard.push(data));
  const reads = range(1, 8).map(() => numbers({ last: 200 }));
  const from = client.node;
  await askToMove(mesh, 'alice', client as never);
  reads.push(...range(1, 8).map(() => numbers({ last: 200 })));
  for (const read of await Promise.all(reads)) expect(read).toEqual(range(101, 300));
  await vi.waitUntil(() => client.node !== from, patience);
  expect(await numbers({ last: 2 })).toEqual([299, 300]);
  expect(heard).toEqual([]);

  for (const n of range(1, 20)) await publisher.toTopic('short.1', n);
  const short = client.topic('short.1');
  await vi.waitUntil(async () => (await short.history()).messages.at(-1)?.data === 20, patience);
  expect((await short.history({ last: 9 })).messages.map(({ data }) => data)).toEqual(range(16, 20));
  const old = (await short.history()).messages[0]?.position as string;
  for (const n of range(21, 30)) await publisher.toTopic('short.1', n);
  await vi.waitUntil(async () => (await short.history()).messages.at(-1)?.data === 30, patience);
  expect(await codeOf(short.history({ since: old }))).toBe('history-lost');
  expect(await codeOf(short.history({ since: 'nonsense' }))).toBe('history-lost');
  expect(await codeOf(client.topic('plain.1').history())).toBe('no-history');
  expect(await codeOf(client.topic('closed.1').history())).toBe('forbidden');
  expect(await codeOf(client.topic('room.*').history())).toBe('bad-topic');
}, 60_000);

it('a history whose edge is lost in between is asked for again as a whole', async () => {
  const s = await scripted();
  const at = await s.connected();
  const asked = s.client.topic('room.1').history({ last: 2 });
  const { id, ...frame } = await at.take('history');
  expect(frame).toEqual({ t: 'history', topic: 'room.1', last: 2 });
  const past = (re: unknown, n: number) =>
    ({ t: 'message', topic: 'room.1', id: `${n}`, data: n, at: 1, past: true, re }) as never;
  at.send(past(id, 1));
  s.mesh.target = s.b;
  at.terminate();
  const b = await s.b.next();
  expect(await b.take('history')).toEqual({ t: 'history', id, topic: 'room.1', last: 2 });
  // Nobody has asked for this one.
  b.send(past('other', 9));
  b.send(past(id, 2));
  b.send({ t: 'gap', topic: 'room.1', reason: 'too-large', re: id } as never);
  b.send(past(id, 3));
  b.send({ t: 'ok', re: id as string, data: { position: '3-x' } });
  const { messages, ...rest } = await asked;
  expect(messages.map(({ data }) => data)).toEqual([2, 3]);
  expect(rest).toEqual({ position: '3-x', omitted: 1 });
  expect(s.types()).not.toContain('gap');
  await eventually('nothing more', () => true);
});
