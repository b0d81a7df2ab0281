import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Broker, userOf } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import { ensurePackages } from '@evenkeel/local';
import { edgeKey, exchanges, topicKey, userKey } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { PythonPackage } from '../support/python-package.js';

const programs = join(import.meta.dirname, '..', 'support', 'python_programs.py');
const installed = new PythonPackage();

beforeAll(async () => {
  const packages = [
    'python3-venv',
    'python3-setuptools',
    'python3-wheel',
    'python3-websockets',
    'python3-aio-pika',
  ];
  await ensurePackages(packages, 'for the Python package');
  installed.install();
});
afterAll(() => installed.remove());

const run = (...args: string[]) => new JsonLines(installed.python, [programs, ...args]);
const isStatus = (status: string) => (line: Record<string, unknown>) => line.status === status;

test('the Python package, installed as its README says, gets each event and message once and in order over moves and the crash of an edge', async () => {
  const mesh = await startTestMesh();
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'python-package.test' });
  onTestFinished(() => broker.close());
  const publisher = broker.publisher();
  const client = run('client', mesh.gatewayUrl, 'alice', 'news');
  await client.until('connected', (lines) => lines.some(isStatus('connected')));

  let published = 0;
  const publishing = setInterval(() => {
    published += 1;
    for (const key of [userKey('alice', 'number'), topicKey('news')])
      void publisher.publish(exchanges.events, key, String(published), {
        messageId: randomUUID(),
        contentType: 'application/json',
      });
  }, 10);
  onTestFinished(() => clearInterval(publishing));
  const seen = (kind: string) => client.lines.filter((line) => line.kind === kind).map(({ data }) => data);
  const nodeNow = () => client.lines.filter(({ node }) => node !== undefined).at(-1)?.node;

  for (let n = 1; n <= 4; n++) {
    const before = published;
    const target = mesh.edges.find(({ node }) => node !== nodeNow());
    const to = { node: target?.node, url: target?.url };
    const command = { command: 'reconnect', move: `move-${n}`, to, count: 1 };
    const userId = userOf(mesh.amqpUrl);
    await publisher.publish(exchanges.control, edgeKey(String(nodeNow())), JSON.stringify(command), {
      userId,
    });
    await client.until(`move ${n}`, (lines) => lines.filter(isStatus('moved')).length === n);
    await client.until(`events after move ${n}`, () => published >= before + 20);
  }
  const moved = published;
  await client.until('all messages of the moves', () => Number(seen('message').at(-1)) >= moved);
  expect(seen('message').slice(0, moved)).toEqual(Array.from({ length: moved }, (_, n) => n + 1));
  expect(client.lines.filter(isStatus('gap'))).toEqual([]);

  const edge = mesh.edges.find(({ node }) => node === nodeNow());
  await edge?.kill();
  await client.until('connected again', (lines) => lines.filter(isStatus('connected')).length === 2);
  const back = published;
  await client.until('events again', () => published > back + 20);
  clearInterval(publishing);
  await publisher.flush();
  await client.until('the last event', () => seen('event').at(-1) === published);
  expect(seen('event')).toEqual(Array.from({ length: published }, (_, n) => n + 1));
  const messages = seen('message').map(Number);
  expect(messages).toEqual([...new Set(messages)].sort((a, b) => a - b));
  expect(client.lines.filter(isStatus('gap'))).toMatchObject([{ topic: 'news', reason: 'connection-lost' }]);
});

test('a service on the Python package answers clients of both SDKs, and what goes wrong there stays there but for a ServiceError', async () => {
  const mesh = await startTestMesh();
  const service = run('service', mesh.urlFor('app-shop'));
  await service.until('serving', (lines) => lines.length === 1);
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());

  expect(await client.request('shop.sum', [1, 2])).toBe(3);
  await expect(client.request('shop.fail')).rejects.toMatchObject({
    code: 'service-error',
    message: 'the service failed',
  });
  const calls = run('calls', mesh.gatewayUrl, 'bob');
  await calls.until('ended', (lines) => lines.some(({ ended }) => ended === true));
  expect(calls.lines).toEqual([
    { method: 'shop.sum', answer: 3 },
    { method: 'shop.bytes', answer: [0x00, 0xff, 0x21] },
    { method: 'shop.buy', error: 'sold-out', text: 'none left', service: true },
    { method: 'shop.fail', error: 'service-error', text: 'the service failed', service: true },
    { published: true },
    { ended: true },
  ]);
  await service.until('the publish', (lines) => lines.some(({ chat }) => chat !== undefined));
  expect(service.lines.slice(1)).toEqual([
    { asked: 'shop.sum', user: 'alice' },
    { asked: 'shop.sum', user: 'bob' },
    { chat: { text: 'ahoy' }, user: 'bob' },
  ]);
});

test('answers in parts of the Python package are read by both SDKs, and end where these leave', async () => {
  const mesh = await startTestMesh();
  const service = run('service', mesh.urlFor('app-shop'));
  await service.until('serving', (lines) => lines.length === 1);
  const reader = run('stream', mesh.gatewayUrl, 'bob', '200');
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());

  const parts: number[] = [];
  for await (const part of client.stream<number>('shop.count', 100)) parts.push(part);
  expect(parts).toEqual(Array.from({ length: 100 }, (_, n) => n));
  for await (const part of client.stream<number>('shop.count', 2_000_000)) if (part === 2) break;
  await reader.until('left', (lines) => lines.length === 2);
  expect(reader.lines).toEqual([{ parts: true, result: null }, { left: true }]);
  await service.until('all have ended', (lines) => lines.length === 5);
  const ended = (user: string, count: number) =>
    service.lines.find((line) => line.user === user && line.ended === count);
  expect(ended('alice', 100)).toMatchObject({ whole: true });
  expect(ended('bob', 200)).toMatchObject({ whole: true });
  for (const line of [ended('alice', 2_000_000), ended('bob', 1_000_000)])
    expect(line).toMatchObject({ whole: false });
});

test('what the Python package publishes arrives as what the SDK publishes, and it says whether anybody took it', async () => {
  const mesh = await startTestMesh();
  const client = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());
  const events: object[] = [];
  const messages: unknown[] = [];
  client.on('*', ({ at, ...event }) => void events.push(event));
  await client.subscribe('news', ({ data }) => void messages.push(data));
  const publish = run('publish', mesh.urlFor('app-shop'), 'alice', 'news');
  await publish.until('published', (lines) => lines.length === 1);
  expect(publish.lines).toEqual([{ event: true, id: 'order-7', message: true, nobody: false }]);

  const publisher = await createPublisher({ amqpUrl: mesh.urlFor('app-shop'), name: 'shop' });
  onTestFinished(() => publisher.close());
  const options = { headers: { 'x-shop': 'harbour' }, id: 'order-8' };
  await publisher.toUser('alice', 'order.created', { number: 7 }, options);
  await publisher.toTopic('news', Uint8Array.of(1, 2));
  await expect.poll(() => events.length + messages.length, { timeout: 20_000 }).toBe(4);
  expect(events[0]).toEqual({ ...events[1], id: 'order-7' });
  expect(messages).toEqual([Uint8Array.of(1, 2), Uint8Array.of(1, 2)]);
});
