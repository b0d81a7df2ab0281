import { join } from 'node:path';
import { connect } from '@evenkeel/client';
import { ensurePackages } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { eventually, ScriptedMesh } from '@evenkeel/testkit';
import { connect as amqp, type ConsumeMessage } from 'amqplib';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { PythonPackage } from '../support/python-package.js';

const programs = join(import.meta.dirname, '..', 'support', 'python_programs.py');
const installed = new PythonPackage();
const namespaces = JSON.stringify({
  namespaces: {
    '*': { subscribe: 'anyone' },
    room: { subscribe: 'anyone', history: { size: 100, seconds: 600 } },
  },
});

beforeAll(async () => {
  const packages = ['venv', 'setuptools', 'wheel', 'websockets', 'aio-pika'];
  await ensurePackages(
    packages.map((name) => `python3-${name}`),
    'for the Python package',
  );
  installed.install();
});
afterAll(() => installed.remove());

const run = (...args: string[]) => new JsonLines(installed.python, [programs, ...args]);

test('what the Python package publishes is, message by message, what the TypeScript one does, and receipts come to it', async () => {
  const mesh = await startTestMesh({ edges: 1 });
  const [url, app] = [mesh.amqpUrl, mesh.urlFor('app-shop')];
  const connection = await amqp(url);
  onTestFinished(() => connection.close());
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  for (const key of ['user.#', 'topic.#']) await channel.bindQueue(queue, 'mesh.events', key);
  const sent: ConsumeMessage[] = [];
  // What edges send themselves, each second, is nobody's event.
  const isProbe = ({ fields }: ConsumeMessage) => fields.routingKey.startsWith('topic.$probe.');
  await channel.consume(queue, (message) => message && !isProbe(message) && sent.push(message), {
    noAck: true,
  });
  const alice = connect({ gateway: mesh.gatewayUrl, user: 'alice' });
  onTestFinished(() => alice.close());
  alice.on('*', () => {});
  await alice.ready();

  const python = run('parity', app, String(alice.session));
  await python.until('the end', (lines) => lines.length === 5);
  expect(python.lines).toEqual([
    // The queue that watches takes everything.
    {
      many: [1, true],
      batch: [
        [1, true],
        [1, true],
        [1, true],
      ],
    },
    { receipt: ['alice', true, true] },
    ...Array.from({ length: 3 }, () => ({ wrong: expect.any(String) })),
  ]);
  await eventually('all of Python’s', () => sent.length === 7);
  const byPython = sent.splice(0);
  const publisher = await createPublisher({ amqpUrl: app, name: 'shop' });
  onTestFinished(() => publisher.close());
  await publisher.toUser('alice', 'plain', { n: 1 }, { onReceipt: () => {} });
  const marks = { expirationMs: 20_000, onlyOnline: true, collapse: 'c', headers: { 'x-by': 'b' } };
  await publisher.toUser('alice', 'marked', [1], marks);
  await publisher.toTopic('prices.tea', 3, { key: 'tea', id: 'm-1' });
  await publisher.batch([{ users: ['alice', 'zoë@x', 'alice', 'bob'], event: 'sale', payload: 7 }]);
  await publisher.batch([
    { user: 'alice', event: 'one', payload: 1 },
    { topic: 'prices.tea', payload: { n: 2 }, options: { key: 'tea' } },
    { user: 'nobody', event: 'none', payload: 3 },
  ]);
  await expect.poll(() => sent.length).toBe(byPython.length);
  const alike = ({ fields, content, properties }: ConsumeMessage) => {
    const { headers = {}, contentType, deliveryMode, expiration } = properties;
    const { 'evenkeel-at': at, 'evenkeel-receipt': receipt, ...said } = headers;
    const known = { at: typeof at, receipt: typeof receipt, isOwnId: properties.messageId === 'm-1' };
    return {
      key: fields.routingKey,
      text: String(content),
      said,
      contentType,
      deliveryMode,
      expiration,
      ...known,
    };
  };
  expect(byPython.map(alike)).toEqual(sent.map(alike));
  expect(sent.map(({ properties }) => properties.headers?.CC)).toContainEqual([
    expect.stringContaining('user.'),
    'user.bob.sale',
  ]);
});

test('the Python package reads what a topic has kept, all of it, its last messages and those behind a position', async () => {
  const mesh = await startTestMesh({ edges: 1, env: { EVENKEEL_NAMESPACES: namespaces } });
  const reader = run('past', mesh.gatewayUrl, mesh.urlFor('app-shop'));
  await reader.until('the end', (lines) => lines.at(-1)?.live !== undefined);
  expect(reader.lines).toEqual([
    { all: [0, 1, 2, 3, 4], past: true },
    { last: [3, 4], at: true },
    { since: [3, 4], omitted: 0 },
    { error: 'no-history' },
    { live: false },
  ]);
});

test('the Python package names in `last` the connection that brought the last event, question or part, as the TypeScript one does', async () => {
  const mesh = await ScriptedMesh.start();
  onTestFinished(() => mesh.close());
  const edge = await mesh.edge('a');
  run('client', mesh.gateway, 'alice');
  const first = await edge.next();
  await first.take('hello');
  first.event('e1');
  await eventually('an acknowledgement', () => first.acked === 1);
  first.terminate();
  const asked = await edge.next();
  expect((await asked.take('hello')).last).toEqual({ connection: first.name, seq: 1 });
  asked.send({ t: 'ask', seq: 1, id: `asker.${'0'.repeat(22)}`, method: 'q', data: null });
  await eventually('an acknowledgement', () => asked.acked === 1);
  asked.terminate();
  const answered = await edge.next();
  expect((await answered.take('hello')).last).toEqual({ connection: asked.name, seq: 1 });
  answered.send({ t: 'part', seq: 1, re: 'r', n: 0, data: 1 });
  answered.send({ t: 'ok', seq: 2, re: 'r', data: 1 } as never);
  await eventually('an acknowledgement', () => answered.acked === 2);
  answered.terminate();
  const last = await edge.next();
  expect((await last.take('hello')).last).toEqual({ connection: answered.name, seq: 2 });
});
