import { join } from 'node:path';
import { ensurePackages } from '@evenkeel/local';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exampleNamespaces } from '../support/example-programs.js';
import { JsonLines } from '../support/json-lines.js';
import { startTestMesh } from '../support/mesh.js';
import { PythonPackage } from '../support/python-package.js';

const program = join(import.meta.dirname, '..', 'support', 'python_interface.py');
const installed = new PythonPackage();

beforeAll(async () => {
  const packages = ['venv', 'setuptools', 'wheel', 'websockets', 'aio-pika', 'pika'];
  await ensurePackages(
    packages.map((name) => `python3-${name}`),
    'for the Python package',
  );
  installed.install();
});
afterAll(() => installed.remove());

test('a Python program that knows the interface alone publishes by HTTP and AMQP, reads history and presence, goes on by position on another edge, and reads a streamed answer over a move', async () => {
  const mesh = await startTestMesh({ edges: 2, api: true, env: { EVENKEEL_NAMESPACES: exampleNamespaces } });
  const { url, key } = mesh.apiAddress ?? { url: '', key: '' };
  const addresses = [mesh.gatewayUrl, mesh.urlFor('app-shop'), mesh.urlFor('operator'), url, key];
  const running = new JsonLines(installed.python, [program, ...addresses]);
  await running.until('the end', (lines) => lines.at(-1)?.done === true, 90_000);
  expect(running.lines).toEqual([
    { http: 202, routed: true, id: 'e1' },
    {
      events: [
        ['e1', 'hi', { by: 1 }],
        ['e2', 'hi', { by: 1 }],
      ],
    },
    { past: [0, 1, 2, 3, 4, 5], is_past: [true, true, true, true] },
    { presence: [['alice', { name: 'Alice' }]] },
    { joined: 2, count: 2 },
    { left: 1 },
    { drained: true },
    { parts: true, count: 40, moves: 1 },
    { since: [3, 4, 5], recovered: true, elsewhere: true, same: true },
    {
      live: [
        [6, false],
        [6, false],
      ],
      same: true,
    },
    { lost: false },
    { done: true },
  ]);
});
