import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Broker, userOf } from '@evenkeel/broker';
import { edgeKey, exchanges, topicKey, userKey } from '@evenkeel/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { JsonLines, python } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';

const program = join(import.meta.dirname, '..', '..', 'examples', 'python-client', 'evenkeel_client.py');
const moves = 10;
const eventsPerSecond = 100;

test('the Python client stays connected through ten moves under 100 events a second, and sees each once and in order', async () => {
  const mesh = await startTestMesh();
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'python-client.test' });
  onTestFinished(() => broker.close());
  const publisher = broker.publisher();
  const client = new JsonLines(python, [
    program,
    '--gateway',
    mesh.gatewayUrl,
    '--user',
    'alice',
    '--topic',
    'news',
  ]);
  const isStatus = (status: string) => (line: Record<string, unknown>) => line.status === status;
  await client.until('connected', (lines) => lines.some(isStatus('connected')));

  let published = 0;
  const confirms: Promise<unknown>[] = [];
  const say = (key: string) =>
    publisher.publish(exchanges.events, key, String(published), {
      messageId: randomUUID(),
      contentType: 'application/json',
    });
  const publishing = setInterval(() => {
    published += 1;
    confirms.push(say(userKey('alice', 'number')), say(topicKey('news')));
  }, 1_000 / eventsPerSecond);
  onTestFinished(() => clearInterval(publishing));

  for (let n = 1; n <= moves; n++) {
    const before = published;
    const { node } = client.lines.filter(({ node }) => node !== undefined).at(-1) ?? {};
    const target = mesh.edges.find((edge) => edge.node !== node);
    const command = {
      command: 'reconnect',
      move: `move-${n}`,
      to: { node: target?.node, url: target?.url },
      count: 1,
    };
    const userId = userOf(mesh.amqpUrl);
    await publisher.publish(exchanges.control, edgeKey(String(node)), JSON.stringify(command), { userId });
    await client.until(`move ${n}`, (lines) => lines.filter(isStatus('moved')).length === n);
    // Some of the stream on every edge, not one edge passed by.
    await client.until(`events after move ${n}`, () => published >= before + 20);
  }
  clearInterval(publishing);
  await Promise.all(confirms);
  const numbersOf = (kind: string) =>
    client.lines.filter((line) => line.kind === kind).map(({ data }) => data);
  await client.until('the last event and message', () =>
    ['event', 'message'].every((kind) => numbersOf(kind).at(-1) === published),
  );

  const all = Array.from({ length: published }, (_, n) => n + 1);
  expect(numbersOf('event')).toEqual(all);
  expect(numbersOf('message')).toEqual(all);
  const others = client.lines.filter(({ kind }) => kind !== 'event' && kind !== 'message');
  expect(others.map(({ status }) => status)).toEqual([
    'connected',
    ...Array.from({ length: moves }, () => ['moving', 'moved']).flat(),
  ]);
});

test('the Python client comes back after its edge has died, and sees each event once and in order', async () => {
  const mesh = await startTestMesh();
  const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'python-client.test' });
  onTestFinished(() => broker.close());
  const publisher = broker.publisher();
  const client = new JsonLines(python, [program, '--gateway', mesh.gatewayUrl, '--user', 'bob']);
  const connections = () => client.lines.filter(({ status }) => status === 'connected');
  await client.until('connected', () => connections().length === 1);
  let published = 0;
  const publishing = setInterval(() => {
    published += 1;
    const body = String(published);
    void publisher.publish(exchanges.events, userKey('bob', 'number'), body, { messageId: randomUUID() });
  }, 10);
  onTestFinished(() => clearInterval(publishing));
  const seen = () => client.lines.filter(({ kind }) => kind === 'event').map(({ data }) => data);
  await client.until('events', () => seen().length > 50);

  const edge = mesh.edges.find(({ node }) => node === connections()[0]?.node);
  await edge?.kill();
  await client.until('connected again', () => connections().length === 2);
  await client.until('events again', () => published > 100 && seen().length > 100);
  clearInterval(publishing);
  await publisher.flush();
  await client.until('the last event', () => seen().at(-1) === published);
  expect(seen()).toEqual(Array.from({ length: published }, (_, n) => n + 1));
  expect(client.lines.some(({ kind }) => kind === 'gap')).toBe(false);
});
