import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createProgram } from './program.js';

const unused = (): never => {
  throw new Error('no command is run here');
};

test('docs/operations.md names every command of the command line, and none that does not exist', () => {
  const program = createProgram({
    terminal: { isTty: false } as Parameters<typeof createProgram>[0]['terminal'],
    version: '0',
    withOperator: unused,
    send: unused,
    addresses: unused,
    brokerOf: unused,
    words: unused,
  });
  const text = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
  const named = [...text.matchAll(/npx evenkeel ([a-z|-]+)/g)].flatMap(([, words = '']) => words.split('|'));
  expect([...new Set(named)].toSorted()).toEqual(program.commands.map((each) => each.name()).toSorted());
});
