import { join } from 'node:path';
import { Broker } from '@evenkeel/broker';
import { connect } from '@evenkeel/client';
import { ensurePackages } from '@evenkeel/local';
import { type ScriptedConnection, type ScriptedEdge, ScriptedMesh } from '@evenkeel/testkit';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { PythonPackage } from '../support/python-package.js';

/** The Python package where sockets, tokens, handlers and queues fail; mostly what its edges and gateway do is the test's. */

const programs = join(import.meta.dirname, '..', 'support', 'python_programs.py');
const installed = new PythonPackage();
let mesh: ScriptedMesh;
let a: ScriptedEdge;

beforeAll(async () => {
  const packages = ['venv', 'setuptools', 'wheel', 'websockets', 'aio-pika'];
  await ensurePackages(
    packages.map((name) => `python3-${name}`),
    'for the Python package',
  );
  installed.install();
});
afterAll(() => installed.remove());
beforeEach(async () => {
  mesh = await ScriptedMesh.start();
  onTestFinished(() => mesh.close());
  a = await mesh.edge('a');
});

const run = (...args: string[]) => new JsonLines(installed.python, [programs, ...args]);

async function answerPublish(connection: ScriptedConnection): Promise<unknown> {
  const { id, data } = await connection.take('publish');
  connection.send({ t: 'ok', re: id });
  return data;
}

test('a handler may wait for a publish whose socket is lost: it goes again, and what follows waits for the handler', async () => {
  a.defaults.answer = false;
  const client = run('relay', mesh.gateway);
  const first = await a.next();
  await first.take('hello');
  first.event('e1');
  first.event('e2');
  await first.take('publish');
  first.terminate();

  const second = await a.next();
  expect((await second.take('hello')).last).toEqual({ connection: first.name, seq: 0 });
  second.event('e1', { again: 1 });
  second.event('e2', { again: 2 });
  expect(await answerPublish(second)).toBe('e1');
  expect(await answerPublish(second)).toBe('e2');
  await client.until('the second event', (lines) => lines.at(-1)?.done === 'e2');
  const ofEvents = client.lines.filter(({ status }) => status === undefined);
  expect(ofEvents).toEqual([{ begun: 'e1' }, { done: 'e1' }, { begun: 'e2' }, { done: 'e2' }]);
  await expect.poll(() => second.acked).toBe(2);
});

test.each([
  { what: 'a publish', name: 'test' },
  { what: 'a reply', name: 'asks' },
])('a handler may wait for $what while its session moves: it has it from the new edge', async ({ name }) => {
  a.defaults.answer = false;
  const b = await mesh.edge('b');
  b.defaults = { ...b.defaults, welcome: false, answer: false };
  const client = run('relay', mesh.gateway);
  const first = await a.next();
  await first.take('hello');
  first.event('e1', { name });
  const call = await first.take(name === 'asks' ? 'request' : 'publish');
  first.move(b);
  const second = await b.next();
  await second.take('hello');
  // The request has been taken, and is answered through the session's queue; nothing is known of the publish.
  first.moved(name === 'asks' ? 1 : 0);
  second.welcome({ resumed: true });
  if (name === 'asks') second.send({ t: 'ok', seq: ++second.seq, re: call.id, data: 3 } as never);
  else await answerPublish(second);
  second.event('e1', { name, again: 1 });
  second.event('e2', { name: 'test' });
  await answerPublish(second);
  await client.until('the second event', (lines) => lines.at(-1)?.done === 'e2');
  const begun = client.lines.flatMap(({ begun: data }) => (data === undefined ? [] : [data]));
  expect(begun).toEqual(['e1', 'e2']);
  expect(client.lines).toContainEqual({ status: 'moved' });
  await first.closed();
});

test('functions of the application that fail, a token that is refused and a gateway that breaks off do not end it', async () => {
  const answers = [
    { status: 401, body: { error: { code: 'bad-credentials', message: 'the key is not known yet' } } },
    { status: 200, headers: { connection: 'close', 'content-length': '1000' }, text: '{' },
  ];
  mesh.answer = () => answers.shift();
  const client = run('stubborn', mesh.gateway);
  await client.until('the end', (lines) => lines.length === 2);
  expect(client.lines).toEqual([{ asked: 4, pause: true }, { error: 'closed' }]);
});

test('a topic that has begun with no past goes on behind where it began', async () => {
  const client = run('quiet', mesh.gateway);
  const first = await a.next();
  expect((await first.take('hello')).topics).toEqual([{ topic: 'room.a', last: 2 }]);
  const answer = { t: 'subscribed', topic: 'room.a', by: 'hello', recovered: true } as const;
  first.send({ ...answer, position: 'p1' });
  first.terminate();
  // It may have been about to begin.
  const second = await a.next();
  expect((await second.take('hello')).topics).toEqual([{ topic: 'room.a', last: 2 }]);
  second.send({ ...answer, position: 'p2' });
  await client.until('its position', (lines) => lines.at(-1)?.position === 'p2');
  second.terminate();
  const third = await a.next();
  expect((await third.take('hello')).topics).toEqual([{ topic: 'room.a', since: 'p2' }]);
});

test('events under the id of an earlier one are not handed on, but counted, told and logged; what the edge repeats is none', async () => {
  const client = run('client', mesh.gateway, 'alice');
  const first = await a.next();
  await first.take('hello');
  for (const data of ['one', 'two', 'three', 'four']) first.event('same', { data });
  first.event('e2');
  await client.until('what comes behind', (lines) => lines.at(-1)?.data === 'e2');
  const events = () => client.lines.flatMap(({ kind, data }) => (kind === 'event' ? [data] : []));
  const told = () => client.lines.filter(({ status }) => status === 'duplicate-id');
  expect(events()).toEqual(['one', 'e2']);
  const status = { kind: 'status', status: 'duplicate-id', id: 'same', name: 'test' };
  const counted = [1, 2].map((count) => ({ ...status, count }));
  expect(told()).toEqual(counted);
  await expect.poll(() => client.errors).toContain('An event test came under the id of an earlier one, same');
  first.terminate();

  const second = await a.next();
  await second.take('hello');
  second.event('e2', { redelivered: true });
  second.event('e3');
  await client.until('the next', (lines) => lines.at(-1)?.data === 'e3');
  expect(events()).toEqual(['one', 'e2', 'e3']);
  expect(told()).toEqual(counted);
});

test('a service handles what one session has sent one after another, whenever it comes', async () => {
  const service = run('lanes');
  await service.until('the last', (lines) => lines.at(-1)?.done === 4);
  expect(service.lines).toEqual([1, 2, 3, 4].flatMap((n) => [{ begun: n }, { done: n }]));
});

test('a service whose queue is deleted serves again, and an answer that is no JSON is an error of the service', async () => {
  const real = await startTestMesh({ edges: 1 });
  const service = run('lasting', real.urlFor('app-shop'));
  await service.until('serving', (lines) => lines.length === 1);
  const client = connect({ gateway: real.gatewayUrl, user: 'alice' });
  onTestFinished(() => client.close());
  expect(await client.request('shop.echo', 1)).toBe(1);
  await expect(client.request('shop.when')).rejects.toMatchObject({ code: 'service-error' });

  const broker = await Broker.connect({ url: real.amqpUrl, name: 'python-losses.test' });
  onTestFinished(() => broker.close());
  await broker.topology().deleteQueue('service.shop.shop.echo');
  await vi.waitFor(async () => expect(await client.request('shop.echo', 2)).toBe(2), {
    timeout: 15_000,
    interval: 500,
  });
});
