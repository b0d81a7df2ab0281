import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Cells } from '@evenkeel/pace';
import { CellMap } from '@evenkeel/publisher';
import { expect, it } from 'vitest';
import { python } from '../support/json-lines.js';

const module = join(import.meta.dirname, '..', '..', 'packages', 'python', 'evenkeel', '_cells.py');
/** By its file: the package itself wants others. */
const program = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("cells", ${JSON.stringify(module)})
found = importlib.util.module_from_spec(spec)
spec.loader.exec_module(found)
text, users = json.load(sys.stdin)
cells = found.Cells(text)
print(json.dumps([cells.of(user) for user in users]))
`;

it('gateway, publisher, and the publisher in Python find the same cells of the same users', () => {
  const cell = (name: string, more: object) => [name, { amqpUrl: `amqp://${name}`, ...more }] as const;
  const text = JSON.stringify({
    cells: Object.fromEntries([
      ...Array.from({ length: 20 }, (_, n) => cell(`cell-${n}`, {})),
      cell('heavy', { weight: 7.25 }),
      cell('drained', { weight: 0, was: 3 }),
      cell('new', { weight: 2, was: 0 }),
    ]),
    users: { 'user-1': 'heavy', 'zoë 2': { cell: 'new', was: 'cell-3' } },
  });
  const names = ['user', 'zoë', '用户', '😀', 'a@example.com'];
  const users = names.flatMap((name) => Array.from({ length: 400 }, (_, n) => `${name}-${n}`));
  users.push('user-1', 'zoë 2', '');
  const ofGateway = users.map((user) => Cells.read(text).of(user));
  const map = new CellMap(text);
  expect(users.map((user) => map.of(user))).toEqual(ofGateway);
  const input = JSON.stringify([text, users]);
  const ofPython = JSON.parse(
    execFileSync(python, ['-c', program], { input, encoding: 'utf8' }),
  ) as string[][];
  expect(ofPython).toEqual(ofGateway);
  // Some of them are in two.
  expect(ofGateway.filter((all) => all.length === 2).length).toBeGreaterThan(100);
});
