import { join } from 'node:path';
import { connect } from '@evenkeel/client';
import { ensurePackages } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { PythonPackage } from '../support/python-package.js';

const programs = join(import.meta.dirname, '..', 'support', 'python_programs.py');
const installed = new PythonPackage();

beforeAll(async () => {
  const needed = ['python3-venv', 'python3-setuptools', 'python3-wheel'];
  await ensurePackages([...needed, 'python3-websockets', 'python3-aio-pika'], 'for the Python package');
  installed.install();
});
afterAll(() => installed.remove());

const run = (...args: string[]) => new JsonLines(installed.python, [programs, ...args]);

test('a service asks clients and clients answer, in Python and in JavaScript', async () => {
  const mesh = await startTestMesh();
  const python = run('served', mesh.gatewayUrl, 'alice');
  await python.until('ready', (lines) => lines.some(({ ready }) => ready === true));
  const session = python.lines.find(({ ready }) => ready === true)?.session;

  const asking = run('asks', mesh.amqpUrl, 'alice');
  await asking.until('all', (lines) => lines.some(({ all }) => all !== undefined), 30_000);
  expect(asking.lines).toEqual([
    { method: 'order.confirm', answer: { accepted: 7 } },
    { method: 'declines', error: 'declined', text: 'not today', session },
    { method: 'fails', error: 'handler-error', text: expect.not.stringContaining('secret'), session },
    { method: 'other', error: 'no-handler', text: expect.any(String), session },
    { method: 'q', error: 'no-session', text: expect.any(String), session: null },
    { all: [[session, { accepted: 8 }, null]] },
  ]);

  const javascript = connect({ gateway: mesh.gatewayUrl, user: 'alice', storage: false });
  onTestFinished(() => javascript.close());
  javascript.serve('order.confirm', () => 'from JavaScript');
  await javascript.ready();
  const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'shop' });
  onTestFinished(() => publisher.close());
  const answers = await publisher.ask('alice', 'order.confirm', { order: 9 }, { want: 'all' });
  const bySession = new Map(answers.map((answer) => [answer.session, answer.data]));
  expect(bySession.get(String(session))).toEqual({ accepted: 9 });
  expect(bySession.get(String(javascript.session))).toBe('from JavaScript');
});
